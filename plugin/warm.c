/* SPDX-License-Identifier: MIT */
#include "plugin/warm.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/engine/error.h"

/* What decides whether a detector can be used again. */
typedef struct key {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec time;
    char backend[16];
    rg_precision precision;
    int proposals, views;
    float iou;
} key;

enum { MOST = 2 };                /* one with infrared, one without */

static struct {
    bool on;
    key key[MOST];
    rg_detector *detector[MOST];  /* owned; NULL: free */
    int next;                     /* to be replaced */
    bool left;                    /* one of them left the card */
} warm;

static bool make_key(const char *path, const rg_detect_options *how, key *k)
{
    struct stat file;
    if (stat(path, &file) != 0) return false;
    memset(k, 0, sizeof *k);
    k->device = file.st_dev;
    k->inode = file.st_ino;
    k->size = file.st_size;
    k->time = file.st_mtim;
    snprintf(k->backend, sizeof k->backend, "%s", how->backend);
    k->precision = how->precision;
    k->proposals = how->proposals;
    k->views = how->views;
    k->iou = how->proposal_iou;
    return true;
}

static bool is_same(const key *a, const key *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size
        && a->time.tv_sec == b->time.tv_sec && a->time.tv_nsec == b->time.tv_nsec
        && strcmp(a->backend, b->backend) == 0 && a->precision == b->precision
        && a->proposals == b->proposals && a->views == b->views && a->iou == b->iou;
}

void rg_warm_begin(void)
{
    warm.on = true;
}

void rg_warm_end(void)
{
    for (int i = 0; i < MOST; i++) {
        rg_detect_close(warm.detector[i]);
        warm.detector[i] = NULL;
    }
    warm.on = false;
}

int rg_warm_open(rg_detector **out, const char *path, const rg_detect_options *how)
{
    key k;
    if (!warm.on || !make_key(path, how, &k)) return rg_detect_open(out, path, how);
    for (int i = 0; i < MOST; i++)
        if (warm.detector[i] != NULL && is_same(&warm.key[i], &k)) {
            *out = warm.detector[i];
            return rg_detect_adjust(*out, how);
        }
    RG_TRY(rg_detect_open(out, path, how));
    int slot = warm.next;
    for (int i = 0; i < MOST; i++)
        if (warm.detector[i] == NULL) slot = i;
    rg_detect_close(warm.detector[slot]);
    warm.detector[slot] = *out;
    warm.key[slot] = k;
    warm.next = (slot + 1) % MOST;
    return 0;
}

void rg_warm_close(rg_detector *detector)
{
    const bool good = detector != NULL && !rg_detect_cramped(detector);
    warm.left |= detector != NULL && rg_detect_left_card(detector);
    for (int i = 0; i < MOST; i++) {
        if (detector == NULL || warm.detector[i] != detector) continue;
        if (good) return;
        warm.detector[i] = NULL;
    }
    rg_detect_close(detector);
}

bool rg_warm_left_card(void)
{
    return warm.left;
}

int rg_warm_count(void)
{
    int n = 0;
    for (int i = 0; i < MOST; i++) n += warm.detector[i] != NULL;
    return n;
}
