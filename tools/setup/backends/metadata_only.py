"""Stands in for a source package's build backend while pip downloads it.

pip asks the backend for the package's metadata even when it only downloads. The real backends
would first have to be installed, and would then run code of the package: minutes of work that
nobody needs. Here the answer is read from the package's own PKG-INFO file.
"""

import os


def _read_name_and_version():
    fields = {}
    with open("PKG-INFO", encoding="utf-8") as info:
        for line in info:
            key, separator, value = line.partition(": ")
            if separator and key in ("Name", "Version"):
                fields.setdefault(key, value.strip())
    return fields["Name"], fields["Version"]


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    name, version = _read_name_and_version()
    folder = f"{name.replace('-', '_')}-{version}.dist-info"
    os.makedirs(os.path.join(metadata_directory, folder))
    with open(os.path.join(metadata_directory, folder, "METADATA"), "w", encoding="utf-8") as out:
        out.write(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    return folder
