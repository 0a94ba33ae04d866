wavecast fit ../../validate/recorded/h100-triton-moe-mixtral-8x7b-tp4-10s -o "$work/model.yaml" | grep -A 1 'trained on'; grep '^training' "$work/model.yaml"
