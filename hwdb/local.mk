# SPDX-License-Identifier: Apache-2.0
libwavecast_la_SOURCES += \
    hwdb/arena.c hwdb/arena.h \
    hwdb/database.c hwdb/database.h \
    hwdb/dump.c \
    hwdb/entry.c hwdb/entry.h \
    hwdb/field_access.c \
    hwdb/fields.c hwdb/fields.h \
    hwdb/kernel.c \
    hwdb/kernel.h hwdb/kernel_compile.h \
    hwdb/kernel_server.c \
    hwdb/kernel_use.c \
    hwdb/lookup.c \
    hwdb/shape.c \
    hwdb/value.c hwdb/value.h \
    hwdb/yaml_get.c \
    hwdb/yaml_tree.c hwdb/yaml_tree.h

wavecastinclude_HEADERS += \
    include/wavecast/gpu.h \
    include/wavecast/hwdb.h \
    include/wavecast/kernel.h \
    include/wavecast/moe.h

# One file per line, so that a new entry is one line in a diff.
dist_hwdbgpus_DATA += \
    hwdb/data/gpus/a10.yaml \
    hwdb/data/gpus/a100-pcie-40gb.yaml \
    hwdb/data/gpus/a100-pcie-80gb.yaml \
    hwdb/data/gpus/a100-sxm-40gb.yaml \
    hwdb/data/gpus/a100-sxm-80gb.yaml \
    hwdb/data/gpus/a30.yaml \
    hwdb/data/gpus/a40.yaml \
    hwdb/data/gpus/ada.yaml \
    hwdb/data/gpus/ampere-ga100.yaml \
    hwdb/data/gpus/ampere-ga10x.yaml \
    hwdb/data/gpus/ampere-orin.yaml \
    hwdb/data/gpus/arc-pro-b60.yaml \
    hwdb/data/gpus/b100.yaml \
    hwdb/data/gpus/b200.yaml \
    hwdb/data/gpus/b300.yaml \
    hwdb/data/gpus/blackwell-dc.yaml \
    hwdb/data/gpus/blackwell-rtx.yaml \
    hwdb/data/gpus/blackwell-thor.yaml \
    hwdb/data/gpus/blackwell-ultra.yaml \
    hwdb/data/gpus/cdna.yaml \
    hwdb/data/gpus/cdna2.yaml \
    hwdb/data/gpus/cdna3.yaml \
    hwdb/data/gpus/cdna4.yaml \
    hwdb/data/gpus/gb10.yaml \
    hwdb/data/gpus/gb200.yaml \
    hwdb/data/gpus/gb300.yaml \
    hwdb/data/gpus/gh200-144gb.yaml \
    hwdb/data/gpus/gh200-96gb.yaml \
    hwdb/data/gpus/h100-nvl.yaml \
    hwdb/data/gpus/h100-pcie.yaml \
    hwdb/data/gpus/h100-sxm.yaml \
    hwdb/data/gpus/h20-3e.yaml \
    hwdb/data/gpus/h20.yaml \
    hwdb/data/gpus/h200-nvl.yaml \
    hwdb/data/gpus/h200-sxm.yaml \
    hwdb/data/gpus/h800-sxm.yaml \
    hwdb/data/gpus/hopper.yaml \
    hwdb/data/gpus/jetson-agx-orin-64gb.yaml \
    hwdb/data/gpus/jetson-thor-t5000.yaml \
    hwdb/data/gpus/l20.yaml \
    hwdb/data/gpus/l4.yaml \
    hwdb/data/gpus/l40.yaml \
    hwdb/data/gpus/l40s.yaml \
    hwdb/data/gpus/max-1550.yaml \
    hwdb/data/gpus/mi100.yaml \
    hwdb/data/gpus/mi210.yaml \
    hwdb/data/gpus/mi250x.yaml \
    hwdb/data/gpus/mi300a.yaml \
    hwdb/data/gpus/mi300x.yaml \
    hwdb/data/gpus/mi325x.yaml \
    hwdb/data/gpus/mi350x.yaml \
    hwdb/data/gpus/mi355x.yaml \
    hwdb/data/gpus/rtx-3090.yaml \
    hwdb/data/gpus/rtx-4090.yaml \
    hwdb/data/gpus/rtx-5090.yaml \
    hwdb/data/gpus/rtx-6000-ada.yaml \
    hwdb/data/gpus/rtx-a6000.yaml \
    hwdb/data/gpus/rtx-pro-6000-maxq.yaml \
    hwdb/data/gpus/rtx-pro-6000-server.yaml \
    hwdb/data/gpus/rtx-pro-6000-ws.yaml \
    hwdb/data/gpus/t4.yaml \
    hwdb/data/gpus/turing.yaml \
    hwdb/data/gpus/v100-pcie-32gb.yaml \
    hwdb/data/gpus/v100-sxm-16gb.yaml \
    hwdb/data/gpus/v100-sxm-32gb.yaml \
    hwdb/data/gpus/volta.yaml \
    hwdb/data/gpus/xe-hpc.yaml \
    hwdb/data/gpus/xe2.yaml

dist_hwdbmodels_DATA += \
    hwdb/data/models/dbrx.yaml \
    hwdb/data/models/deepseek-moe-16b.yaml \
    hwdb/data/models/deepseek-v2-lite.yaml \
    hwdb/data/models/deepseek-v2.yaml \
    hwdb/data/models/deepseek-v3.yaml \
    hwdb/data/models/deepseek-v4-flash.yaml \
    hwdb/data/models/deepseek-v4-pro.yaml \
    hwdb/data/models/ernie-4-5-21b-a3b.yaml \
    hwdb/data/models/ernie-4-5-300b-a47b.yaml \
    hwdb/data/models/gemma-4-26b-a4b.yaml \
    hwdb/data/models/glm-4-5-air.yaml \
    hwdb/data/models/glm-4-5.yaml \
    hwdb/data/models/glm-4-7-flash.yaml \
    hwdb/data/models/glm-5.yaml \
    hwdb/data/models/gpt-oss-120b.yaml \
    hwdb/data/models/gpt-oss-20b.yaml \
    hwdb/data/models/granite-3-1b-a400m.yaml \
    hwdb/data/models/granite-3-3b-a800m.yaml \
    hwdb/data/models/grok-1.yaml \
    hwdb/data/models/hunyuan-a13b.yaml \
    hwdb/data/models/jamba-v0-1.yaml \
    hwdb/data/models/kimi-k2.yaml \
    hwdb/data/models/kimi-k3.yaml \
    hwdb/data/models/llama4-maverick.yaml \
    hwdb/data/models/llama4-scout.yaml \
    hwdb/data/models/mimo-v2-flash.yaml \
    hwdb/data/models/minimax-m1.yaml \
    hwdb/data/models/minimax-m2.yaml \
    hwdb/data/models/minimax-m3.yaml \
    hwdb/data/models/mixtral-8x22b.yaml \
    hwdb/data/models/mixtral-8x7b.yaml \
    hwdb/data/models/moonlight-16b-a3b.yaml \
    hwdb/data/models/nemotron-3-nano-30b-a3b.yaml \
    hwdb/data/models/nemotron-3-super-120b-a12b.yaml \
    hwdb/data/models/nemotron-3-ultra-550b-a55b.yaml \
    hwdb/data/models/olmoe-1b-7b.yaml \
    hwdb/data/models/phi-3-5-moe.yaml \
    hwdb/data/models/qwen1-5-moe-a2-7b.yaml \
    hwdb/data/models/qwen2-57b-a14b.yaml \
    hwdb/data/models/qwen3-235b-a22b.yaml \
    hwdb/data/models/qwen3-30b-a3b.yaml \
    hwdb/data/models/qwen3-5-122b-a10b.yaml \
    hwdb/data/models/qwen3-5-35b-a3b.yaml \
    hwdb/data/models/qwen3-5-397b-a17b.yaml \
    hwdb/data/models/qwen3-coder-480b-a35b.yaml \
    hwdb/data/models/qwen3-next-80b-a3b.yaml \
    hwdb/data/models/step-3-7-flash.yaml

dist_hwdbkernels_DATA += \
    hwdb/data/kernels/alpha-moe.yaml \
    hwdb/data/kernels/vllm-triton.yaml \
    hwdb/data/kernels/wavecast-moe.yaml

EXTRA_DIST += \
    hwdb/evidence/README.md \
    hwdb/evidence/h100-sxm-probe.csv \
    hwdb/evidence/h200-sxm-microbench.csv \
    hwdb/evidence/h200-sxm-probe.csv
