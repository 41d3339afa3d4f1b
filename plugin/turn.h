/* SPDX-License-Identifier: MIT */
/* turn: one at a time draws in a DS9.
 *
 *     RG_TRY(rg_turn_take(address));
 *
 * The turn ends with the process, however that ends: it is a lock of the kernel's on a
 * byte of ~/.cache/claran/turns, and no file says who had it.
 */
#ifndef RG_TURN_H
#define RG_TURN_H

/* Fails with a sentence where another process has the turn in the DS9 at that address.
 * Where no lock can be had at all, everybody has. */
int rg_turn_take(const char *address);

/* Before the process ends, in a server: nothing is drawn any more. */
void rg_turn_give(void);

#endif
