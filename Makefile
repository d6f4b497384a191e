# Forwards to meson; the build itself is meson.build.
BUILD ?= build

all: $(BUILD)/build.ninja
	@ls src/*/*.c src/console/* tests/unit/*/*.c 2>/dev/null | cmp -s - $(BUILD)/sources.txt || { ls src/*/*.c src/console/* tests/unit/*/*.c > $(BUILD)/sources.txt 2>/dev/null; meson setup --reconfigure $(BUILD) >/dev/null; }
	ninja -C $(BUILD)

$(BUILD)/build.ninja:
	meson setup $(BUILD) $(MESON_ARGS)

check:
	./check

install: all
	meson install -C $(BUILD)

clean:
	rm -rf build build-*

.PHONY: all check install clean
