from scikit_build_core.build import __getattr__  # noqa: F401
