/* SPDX-License-Identifier: MIT */
/* trouble: what can go wrong with a card, in words that say what to do.
 *
 *     return rg_trouble_say(RG_TROUBLE_BUSY, "cudaMalloc", cudaGetErrorString(code));
 */
#ifndef RG_TROUBLE_H
#define RG_TROUBLE_H

typedef enum {
    RG_TROUBLE_OTHER,
    RG_TROUBLE_FULL,       /* no memory left, of ours or because of others */
    RG_TROUBLE_BUSY,       /* another program has the card to itself, or none may */
    RG_TROUBLE_GONE,       /* removed, reset, or its hardware failed */
    RG_TROUBLE_KERNEL,     /* a computation died; the card takes no more from us */
    RG_TROUBLE_SLOW,       /* the driver ended a computation: the card has a display */
    RG_TROUBLE_DRIVER,     /* driver, library and card: one is missing or unfit */
} rg_trouble;

/* How the sentence begins. */
#define RG_TROUBLE_GPU "the GPU failed in "

/* -1, with a sentence: which call (up to a bracket), what the library says of it, and
 * the cure. */
int rg_trouble_say(rg_trouble what, const char *call, const char *says);

#endif
