# A short front for Meson. `make` builds build/deltaworks and build/libdeltaworks.so.
# Every target sets the machine up first if that was not done; see CONTRIBUTING.md.

JOBS ?= $(shell n=$$(nproc); [ $$n -gt 4 ] && echo $$((n - 1)) || echo $$n)
PREFIX ?= /usr/local
DUCKDB ?= pinned
MESON_ARGS ?=
export DESTDIR

setup_stamp = third_party/build/.setup
options = -Dduckdb=$(DUCKDB) $(MESON_ARGS)
# Sanitizers make gcc warn of what is not there; warnings are the business of lint.
sanitize = -Db_lundef=false -Doptimization=1 -Dwerror=false

.PHONY: all setup demo test test-all test-asan test-tsan test-interop conformance sim bench fuzz \
	lint format install uninstall clean distclean

all: build/build.ninja
	@ninja -C build -j $(JOBS)

# The programs that the tests of a build folder need.
tests-%: %/build.ninja
	@ninja -C $* -j $(JOBS) all meson-test-prereq

# ---- set-up ----------------------------------------------------------------------------------------

setup:
	@tools/setup.sh
	@mkdir -p $(dir $(setup_stamp)) && touch $(setup_stamp)

$(setup_stamp): third_party/LOCK tools/setup.sh
	@$(MAKE) --no-print-directory setup

build/build.ninja: | $(setup_stamp)
	@tools/configure.sh build $(options)

build-asan/build.ninja: | $(setup_stamp)
	@tools/configure.sh build-asan $(options) $(sanitize) -Db_sanitize=address,undefined

build-tsan/build.ninja: | $(setup_stamp)
	@tools/configure.sh build-tsan $(options) $(sanitize) -Db_sanitize=thread

build-fuzz/build.ninja: | $(setup_stamp)
	@CC=clang-14 tools/configure.sh build-fuzz $(options) $(sanitize) \
		-Db_sanitize=address,undefined -Dfuzzers=true

# ---- using it --------------------------------------------------------------------------------------

demo: all
	@tools/demo.sh

install: all
	@meson configure build --prefix $(abspath $(PREFIX)) --libdir lib
	@ninja -C build -j $(JOBS)
	@meson install -C build --no-rebuild --quiet
	@[ -n "$(DESTDIR)" ] || [ "$$(id -u)" -ne 0 ] || ldconfig # programs find the library at once
	@echo "installed to $(DESTDIR)$(abspath $(PREFIX))"

uninstall:
	@ninja -C build uninstall

# ---- tests: each ends with a line `N passed, N failed` ---------------------------------------------

test: tests-build
	@tools/test.py build --jobs $(JOBS) --without slow

test-all: tests-build
	@tools/test.py build --jobs $(JOBS)

test-asan: tests-build-asan
	@tools/test.py build-asan --patience 8 --jobs $(JOBS) --without slow

# DuckDB itself is not built for the thread sanitizer: only what runs without the engine.
test-tsan: tests-build-tsan
	@tools/test.py build-tsan --patience 8 --jobs $(JOBS) --with core --without slow

test-interop: all
	@tests/interop/run $(if $(SAMPLE),--sample)

conformance: all
	@test -n "$(CORPUS)" || { echo "make conformance needs CORPUS=<folder or archive of the tables>"; exit 2; }
	@tests/conformance/run "$(CORPUS)"

sim: all
	@tests/simulation/run $(or $(SIM),commit_sim) $(SEED)

fuzz: build-fuzz/build.ninja
	@ninja -C build-fuzz -j $(JOBS)
	@tests/fuzz/run build-fuzz

bench: all
	@bench/run

# ---- looking after the code ------------------------------------------------------------------------

lint: | $(setup_stamp)
	@tools/lint/lint.py --jobs $(JOBS)

format: | $(setup_stamp)
	@tools/lint/format.py --fix

clean:
	@rm -rf build build-*

# Also what set-up fetched.
distclean: clean
	@rm -rf third_party/cache third_party/build third_party/data subprojects/packagefiles/*.tar.gz
	@git clean -qfdX subprojects
