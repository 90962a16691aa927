# davylamp.  `make help` lists the targets; README.md says the rest.
#
#   V=1            show the commands
#   SAN=1          AddressSanitizer and UBSan, in build/san; SAN=thread:
#                  ThreadSanitizer, in build/tsan
#   CC=clang       another compiler (gcc >= 12, clang >= 14)
#   ARCH=aarch64   cross-build against SYSROOT, in build/aarch64; without one,
#                  packaging/sysroot makes it (Debian, as root)
#   DESTDIR, PREFIX  for install

VERSION := 0.1.0
PREFIX  ?= /usr/local
HOSTCC  ?= cc
BUILD   := build$(if $(SAN),/$(if $(filter thread,$(SAN)),t)san)$(if $(ARCH),/$(ARCH))
Q       := $(if $(V),,@)
say      = $(if $(V),,@printf '  %-5s %s\n' '$(1)' '$(patsubst $(BUILD)/%,%,$@)';)

ifdef ARCH
CC             := $(ARCH)-linux-gnu-gcc
AR             := $(ARCH)-linux-gnu-ar
SYSROOT        ?= build/sysroot-$(ARCH)
TREE           := $(if $(filter file,$(origin SYSROOT)),$(SYSROOT)/.davylamp)
SYSFLAGS       := --sysroot=$(abspath $(SYSROOT))
PKG_CONFIG     := PKG_CONFIG_SYSROOT_DIR=$(abspath $(SYSROOT)) \
	PKG_CONFIG_LIBDIR=$(abspath $(SYSROOT))/usr/lib/$(ARCH)-linux-gnu/pkgconfig:$(abspath $(SYSROOT))/usr/share/pkgconfig pkg-config
# Tests of a foreign build run under this.
RUN            := QEMU_LD_PREFIX=$(abspath $(SYSROOT)) qemu-$(ARCH)-static
else
PKG_CONFIG     := pkg-config
endif

WARN    := -Wall -Wextra -Wconversion -Werror
, := ,
SANFLAGS := $(if $(SAN),-fsanitize=$(or $(filter thread,$(SAN)),address$(,)undefined) -fno-sanitize-recover=all -fno-omit-frame-pointer)
OPT     ?= -O2 -g
CFLAGS  ?=
FLAGS    = -std=gnu17 -D_GNU_SOURCE -Iagent -I$(BUILD) $(WARN) $(OPT) $(SANFLAGS) $(SYSFLAGS) \
	-fstack-protector-strong -fPIE $(if $(SAN),,-D_FORTIFY_SOURCE=2) \
	-DDAVYLAMP_VERSION='"$(VERSION)"' \
	$(shell $(PKG_CONFIG) --cflags $(LIBS)) $(CFLAGS)
LINK     = $(CC) $(SANFLAGS) $(SYSFLAGS) -pie -Wl,-z,relro,-z,now $(LDFLAGS)
libs     = $(shell $(PKG_CONFIG) --libs $(1))

# Which library each program may use (tests/confinement checks the sources).
DAVYLAMP_LIBS := libxxhash json-c inih libbpf libzstd
MATCH_LIBS    := yara libxxhash
REPORT_LIBS   := libcurl json-c libcrypto inih
VERIFY_LIBS   := libcrypto
LIBS          := $(DAVYLAMP_LIBS) $(MATCH_LIBS) $(REPORT_LIBS)

# agent/json_must.c
JSON_MUST := $(foreach f,new_object new_array new_string new_int new_int64 new_uint64 new_double new_boolean object_add array_add to_json_string_ext to_json_string_length,-Wl$(,)--wrap=json_object_$f)

# What is built into davylamp: the hash set, the BPF objects.
BUILTIN  := $(patsubst %,$(BUILD)/obj/builtin_%.o,set tasks sensor)

# BPF programs know any kernel by its BTF: CO-RE, which gcc does not do.
BPFCC    ?= clang
BPFARCH  := $(if $(filter aarch64,$(or $(ARCH),$(shell uname -m))),arm64,x86)

PROGRAMS := davylamp davylamp-match davylamp-report davylamp-verify
MAINS    := $(PROGRAMS:%=agent/%.c) agent/hashpack.c
MODULES  := $(filter-out $(MAINS),$(wildcard agent/*.c))
OBJECTS  := $(MODULES:agent/%.c=$(BUILD)/obj/%.o)
UNIT     := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_*.c))
PRELOADS := $(patsubst tests/tools/%.c,$(BUILD)/tests/%.so,$(wildcard tests/tools/preload_*.c))
TOOLS    := $(patsubst tests/tools/%.c,$(BUILD)/tests/%,$(filter-out tests/tools/preload_%,$(wildcard tests/tools/*.c))) $(PRELOADS)
BENCHES  := $(patsubst %,$(BUILD)/bench/%,bench fragments makeset storm target)

.PHONY: all scan test bench corpus detection innocents bench-compare bench-tools lint coverage valgrind fuzz install uninstall clean help deps-build deps-test
.DELETE_ON_ERROR:
.SECONDARY:

all: $(PROGRAMS:%=$(BUILD)/%) $(BUILD)/rules-test/__main__.py ## build everything into build/ (the default)

$(BUILD)/davylamp: $(BUILD)/obj/davylamp.o $(BUILTIN) $(BUILD)/libagent.a
	$(call say,LINK)$(LINK) $(JSON_MUST) -o $@ $^ $(call libs,$(DAVYLAMP_LIBS)) -lpthread

$(BUILD)/davylamp-match: $(BUILD)/obj/davylamp-match.o $(BUILD)/obj/builtin_rules.o $(BUILD)/libagent.a
	$(call say,LINK)$(LINK) -o $@ $^ $(call libs,$(MATCH_LIBS))

$(BUILD)/davylamp-report: $(BUILD)/obj/davylamp-report.o $(BUILD)/libagent.a
	$(call say,LINK)$(LINK) $(JSON_MUST) -o $@ $^ $(call libs,$(REPORT_LIBS))

$(BUILD)/davylamp-verify: $(BUILD)/obj/davylamp-verify.o $(BUILD)/libagent.a
	$(call say,LINK)$(LINK) -o $@ $^ $(call libs,$(VERIFY_LIBS))

# What `davylamp rules test` runs.
$(BUILD)/rules-test/__main__.py: $(wildcard bench/rules/*.py)
	$(call say,COPY)mkdir -p $(@D) && cp $^ $(@D)

$(BUILD)/libagent.a: $(OBJECTS)
	$(call say,AR)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/obj/%.o: agent/%.c Makefile | $(TREE)
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(FLAGS) -MMD -MP -c -o $@ $<

build/sysroot-%/.davylamp: packaging/sysroot
	$(Q)packaging/sysroot $*

# What is built in: the rules' text and the hash set, as bytes.
$(BUILD)/builtin.yar: $(sort $(wildcard rules/*.yar))
	@mkdir -p $(@D)
	$(call say,CAT)cat $^ > $@

HASHPACK := hashpack hashbuild hashbuild_write hashgood hashsave hashset hashcheck digestlist text
$(BUILD)/hashpack: $(HASHPACK:%=agent/%.c) $(wildcard agent/hash*.h) agent/digestlist.h
	@mkdir -p $(@D)
	$(call say,HOST)$(HOSTCC) -std=gnu17 -D_GNU_SOURCE -O2 -Iagent -o $@ $(filter %.c,$^) -lxxhash

$(BUILD)/builtin.set: $(BUILD)/hashpack $(sort $(wildcard hashes/*.tsv))
	$(call say,PACK)$(BUILD)/hashpack $@ $(filter %.tsv,$^)

# Each byte's highest bit flipped: the matcher's own image must hold none of the
# strings that it looks for in others.
$(BUILD)/builtin.flipped: $(BUILD)/builtin.yar
	$(call say,FLIP)LC_ALL=C tr '\000-\377' '\200-\377\000-\177' < $< > $@

$(BUILD)/%.bpf.o: bpf/%.bpf.c bpf/kernel.h bpf/sensor.h Makefile
	@mkdir -p $(@D)
	@command -v $(BPFCC) >/dev/null || { echo '$(BPFCC) is missing, which compiles bpf/; as root: packaging/deps build' >&2; exit 1; }
	$(call say,BPF)$(BPFCC) -target bpf -D__TARGET_ARCH_$(BPFARCH) -O2 -g -Wall -Wextra -Werror -Wno-unused-parameter -Ibpf $(if $(ARCH),-I$(abspath $(SYSROOT))/usr/include) -c -o $@ $<

# What each holds.
builtin_rules  := $(BUILD)/builtin.flipped
builtin_set    := $(BUILD)/builtin.set
builtin_tasks  := $(BUILD)/tasks.bpf.o
builtin_sensor := $(BUILD)/sensor.bpf.o

$(BUILD)/builtin_%.S: Makefile
	@mkdir -p $(@D)
	@printf '.section .rodata\n.balign 64\n.global builtin_%s, builtin_%s_end\nbuiltin_%s: .incbin "%s"\nbuiltin_%s_end: .byte 0\n.section .note.GNU-stack,"",%%progbits\n' \
		$* $* $* '$(builtin_$*)' $* > $@

$(BUILD)/obj/builtin_rules.o: $(builtin_rules)
$(BUILD)/obj/builtin_set.o: $(builtin_set)
$(BUILD)/obj/builtin_tasks.o: $(builtin_tasks)
$(BUILD)/obj/builtin_sensor.o: $(builtin_sensor)
$(BUILD)/obj/builtin_%.o: $(BUILD)/builtin_%.S
	@mkdir -p $(@D)
	$(call say,AS)$(CC) $(SYSFLAGS) -c -o $@ $<

# Unit tests link every module; --wrap lets one fail a system call.
$(BUILD)/tests/test_%: tests/unit/test_%.c $(BUILD)/libagent.a $(BUILTIN)
	@mkdir -p $(@D)
	$(call say,TEST)$(CC) $(FLAGS) -Itests/unit -MMD -MP -pie -o $@ $< $(filter %.o %.a,$^) $(call libs,$(LIBS) cmocka)

# Looks over match_scan's shoulder by wrapping what sets its callbacks.
$(BUILD)/tests/differential: $(wildcard tests/differential/*.[ch]) $(BUILD)/libagent.a $(BUILD)/obj/builtin_rules.o
	@mkdir -p $(@D)
	$(call say,TEST)$(CC) $(FLAGS) -pie -Wl,--wrap=yr_scanner_set_callback -o $@ $(filter %.c %.o %.a,$^) $(call libs,$(MATCH_LIBS))

$(BUILD)/tests/%.so: tests/tools/%.c | $(TREE)
	@mkdir -p $(@D)
	$(call say,TOOL)$(CC) -std=gnu17 -D_GNU_SOURCE $(WARN) $(OPT) $(SYSFLAGS) -fPIC -shared -o $@ $< -ldl

# Our programs, one of whose allocations fails.
FAILING := $(BUILD)/tests/failing
$(FAILING)/davylamp:        use = $(BUILTIN) $(BUILD)/libagent.a $(JSON_MUST) $(call libs,$(DAVYLAMP_LIBS)) -lpthread
$(FAILING)/davylamp-match:  use = $(BUILD)/obj/builtin_rules.o $(BUILD)/libagent.a $(call libs,$(MATCH_LIBS))
$(FAILING)/davylamp-report: use = $(BUILD)/libagent.a $(JSON_MUST) $(call libs,$(REPORT_LIBS))
$(FAILING)/%: tests/faults/failing.c $(BUILD)/%
	@mkdir -p $(@D)
	$(call say,TEST)$(LINK) $(FLAGS) -o $@ $< $(BUILD)/obj/$*.o $(use)

# What is looked at has no sanitizer: its runtime's memory passes for RandomX's.
plain = $(filter-out $(SANFLAGS),$(FLAGS))
$(BUILD)/tests/packed: tests/tools/packed.c | $(TREE)
	@mkdir -p $(@D)
	$(call say,TOOL)$(CC) $(plain) -static-pie -o $@ $<

$(BUILD)/tests/%: tests/tools/%.c | $(TREE)
	@mkdir -p $(@D)
	$(call say,TOOL)$(CC) $(plain) -MMD -MP -pie -o $@ $< $(if $(findstring randomx,$*),-lrandomx) -lpthread

$(BUILD)/bench/bench: bench/stages.c
$(BUILD)/bench/%: bench/%.c $(BUILTIN) $(BUILD)/libagent.a
	@mkdir -p $(@D)
	$(call say,BENCH)$(CC) $(FLAGS) -MMD -MP -pie -o $@ $(filter %.c %.o %.a,$^) $(call libs,$(DAVYLAMP_LIBS))

scan: deps-build ## install what the build needs, build, scan this machine (as root)
	$(Q)$(MAKE) --no-print-directory all
	$(Q)$(BUILD)/davylamp scan $(SCAN); s=$$?; [ $$s = 1 ] || [ $$s = 3 ] || exit $$s

test: deps-test ## install what the tests need, build, run every test (as root)
	$(Q)$(MAKE) --no-print-directory all unit-tests test-tools
	$(Q)BUILD=$(BUILD) RUN='$(RUN)' tests/run

unit-tests: $(UNIT)
test-tools: $(TOOLS) $(BUILD)/tests/differential $(if $(SAN),,$(addprefix $(FAILING)/,davylamp davylamp-match davylamp-report))

bench: ## measure: copy, sweep, yara; results into bench/record
	$(Q)$(MAKE) --no-print-directory all bench-tools
	$(Q)BUILD=$(BUILD) bench/run $(BENCH)

corpus: ## build each proof of work in 22 ways, look at it run (ten minutes)
	$(Q)$(MAKE) --no-print-directory all test-tools
	$(Q)BUILD=$(BUILD) tests/pow/corpus.py $(CORPUS)

detection: ## both, once each, as text, JSON and a page (DETECTION='--builds gcc-O2')
	$(Q)$(MAKE) --no-print-directory all test-tools
	$(Q)BUILD=$(BUILD) tests/pow/corpus.py --manifest $(BUILD)/corpus.toml $(DETECTION)
	$(Q)$(BUILD)/davylamp rules test $(BUILD)/corpus.toml bench/rules/innocents.toml --json $(BUILD)/detection.json --html $(BUILD)/detection.html

innocents: ## keep a hundred innocent programs busy, look at them (INNOCENTS='--rounds 100')
	$(Q)$(MAKE) --no-print-directory all
	$(Q)BUILD=$(BUILD) bench/rules/innocents.py $(INNOCENTS)

bench-compare: ## what changed between two records, A= and B=
	$(Q)bench/compare $(A) $(B)

# A miner of our own where Debian's library is there: the series `detection`.
bench-tools: $(BENCHES) $(if $(wildcard /usr/include/randomx.h),$(BUILD)/tests/randomx_driver)

lint: ## what clang-tidy and cppcheck find, with no exceptions but .clang-tidy's
	$(Q)$(MAKE) --no-print-directory all
	$(Q)BUILD=$(BUILD) tests/lint

coverage: ## how much of parsers, spool and state machines the unit tests reach
	$(Q)tests/coverage

valgrind: ## the unit tests under valgrind: slow
	$(Q)$(MAKE) --no-print-directory all unit-tests
	$(Q)BUILD=$(BUILD) TEST_SECONDS=3600 RUN='valgrind -q --error-exitcode=9 --suppressions=tests/valgrind.supp' tests/run $(BUILD)/tests/

fuzz: ## run each fuzzer for FUZZ_SECONDS (60)
	$(Q)BUILD=build tests/fuzz/run

# What goes where below DESTDIR/PREFIX; the units name their programs by /usr.
UNITS := davylamp.service davylamp-report.service
MANS  := man8/davylamp.8 man5/davylamp.conf.5
INTO   = $(DESTDIR)$(PREFIX)

install: all ## install under DESTDIR/PREFIX, units included
	install -d $(addprefix $(INTO)/,bin libexec/davylamp share/man/man5 share/man/man8 \
		lib/systemd/system lib/sysusers.d lib/tmpfiles.d)
	install -m 755 $(BUILD)/davylamp $(INTO)/bin
	install -m 755 $(filter-out %/davylamp,$(PROGRAMS:%=$(BUILD)/%)) $(INTO)/libexec/davylamp
	install -d $(INTO)/libexec/davylamp/rules-test
	install -m 644 $(wildcard bench/rules/*.py) $(INTO)/libexec/davylamp/rules-test
	chmod 755 $(INTO)/libexec/davylamp/rules-test/__main__.py
	$(foreach m,$(MANS),install -m 644 packaging/$(notdir $m) $(INTO)/share/man/$m && ):
	$(foreach u,$(UNITS),sed 's|=/usr/|=$(PREFIX)/|' packaging/$u > $(INTO)/lib/systemd/system/$u && \
		chmod 644 $(INTO)/lib/systemd/system/$u && ):
	install -m 644 packaging/davylamp.sysusers $(INTO)/lib/sysusers.d/davylamp.conf
	install -m 644 packaging/davylamp.tmpfiles $(INTO)/lib/tmpfiles.d/davylamp.conf

uninstall: ## remove what install put there
	rm -f $(INTO)/bin/davylamp $(MANS:%=$(INTO)/share/man/%) $(UNITS:%=$(INTO)/lib/systemd/system/%) \
		$(INTO)/lib/sysusers.d/davylamp.conf $(INTO)/lib/tmpfiles.d/davylamp.conf
	rm -rf $(INTO)/libexec/davylamp

clean: ## remove build/
	rm -rf build

deps-build deps-test:
	$(Q)packaging/deps $(@:deps-%=%)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

-include $(OBJECTS:.o=.d) $(wildcard $(BUILD)/obj/*.d $(BUILD)/tests/*.d $(BUILD)/bench/*.d)
