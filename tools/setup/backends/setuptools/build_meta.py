import sys

from metadata_only import prepare_metadata_for_build_wheel  # noqa: F401

__legacy__ = sys.modules[__name__]
