/*
 * Reading add, remove and cdc. Private to src/protocol.
 */
#ifndef DW_PROTOCOL_FILE_PARSE_H
#define DW_PROTOCOL_FILE_PARSE_H

#include "protocol/member.h"

/* `kind` is ADD, REMOVE or CDC and decides which members are required. */
DW_WARN_UNUSED dw_status dw__file_parse(const dw_member_reader *reader, dw_action_kind kind,
                                        dw_json object, dw_file *out);

#endif
