/* SPDX-License-Identifier: MIT */
/* card: what a test sets and sees of the card that is the host (card.c). */
#ifndef RG_TESTS_CARD_H
#define RG_TESTS_CARD_H

#include <stddef.h>

#include "core/engine/gpu/trouble.h"

extern long card_replays;        /* how often a recording was replayed */
extern size_t card_room;         /* bytes of memory that are left */
extern const char *card_name;    /* what it is called */

/* Convolutions and products: the ways are numbered from first up to ways, each costs so
 * much [ms]; which was taken last; how often the clock was read. */
extern int card_ways, card_first, card_way;
extern float card_cost[4];
extern long card_timed;

/* So many recordings are refused when they are ended. */
extern int card_refuses;

/* The call that fails, and all behind it, counted from now (-1: none), and of what. */
extern int card_trouble_in;
extern rg_trouble card_trouble;

#endif
