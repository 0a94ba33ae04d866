/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parameters of the bundled kernel's launches, shared by host (C17) and device (CUDA C++).
 * Addresses are device addresses; plain integers keep the layout the same on both sides.
 */
#ifndef WAVECAST_KERNELS_MOE_PARAMS_H
#define WAVECAST_KERNELS_MOE_PARAMS_H

typedef unsigned long long wavecast_kernels__address;

/* One m-tile: rows first .. first + rows - 1 of the sorted slots, all of one expert. */
struct wavecast_kernels__moe_tile {
    int expert;
    int first;
    int rows;
    int pad;
};

/* Of moe_count, moe_scan and moe_scatter, the sort by expert. */
struct wavecast_kernels__moe_sort_params {
    wavecast_kernels__address topk_expert;   /* int [tokens][top_k]; negative: another rank's */
    wavecast_kernels__address topk_weight;   /* float [tokens][top_k] */
    wavecast_kernels__address counts;        /* int [experts]; zero before and after */
    wavecast_kernels__address cursor;        /* int [experts]: where the next slot goes */
    wavecast_kernels__address tiles;         /* moe_tile [m-tiles] */
    wavecast_kernels__address tile_count;    /* int */
    wavecast_kernels__address sorted_token;  /* int [slots]: token of each sorted slot */
    wavecast_kernels__address sorted_weight; /* float [slots]: its router weight */
    wavecast_kernels__address output;        /* float [tokens][hidden], cleared by moe_count */
    int tokens;
    int top_k;
    int experts;
    int tile_m;
    int hidden;
    int pad;
};

/* Of moe_up and moe_down. Bytes of one element follow from the specialization. */
struct wavecast_kernels__moe_gemm_params {
    wavecast_kernels__address rows;         /* [tokens][hidden]; down: [slots][intermediate] */
    wavecast_kernels__address row_scale;    /* FP8: float [same][ceil(width / 128)] */
    wavecast_kernels__address weights;      /* [experts][2 intermediate][hidden]; down:
                                               [experts][hidden][intermediate] */
    wavecast_kernels__address weight_scale; /* FP8: float [experts][panels][blocks][blocks] */
    wavecast_kernels__address result;       /* activations; down: float [tokens][hidden] */
    wavecast_kernels__address result_scale; /* FP8, up: float [slots][ceil(intermediate / 128)] */
    wavecast_kernels__address tiles;
    wavecast_kernels__address tile_count;
    wavecast_kernels__address sorted_token;
    wavecast_kernels__address sorted_weight;
    wavecast_kernels__address partial; /* up, split_k > 1: float [tiles][tile_n][tile_m], zero */
    wavecast_kernels__address partial_count; /* int [tiles], zero */
    int hidden;
    int intermediate;
    int n_tiles; /* weight tiles side by side */
    int splits;  /* CTAs that share a reduction */
    int group_m; /* m-tiles that use a weight tile one after the other */
    int pad;
};

#endif
