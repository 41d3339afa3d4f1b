/* SPDX-License-Identifier: MIT */
#include "plugin/looks.h"

#include <stdlib.h>
#include <string.h>

#include "regions/region.h"

#define PROPERTY " claran="
#define HIDDEN " tag={" RG_REGION_HIDDEN
#define OR " or "

enum { LABEL = 256 };

/* A box of ours, taken apart. */
typedef struct box {
    const char *line;                 /* borrowed */
    char label[LABEL];                /* shown or hidden */
    bool shown;
    char class_[8], p[16], second[8], second_p[16];   /* the property, "": none */
} box;

/* " KEY{...}", " KEY"..."" or " KEY'...'" in a line: where, how long, what it says. */
static int find(const char *line, const char *key, const char **at, char value[LABEL])
{
    *at = strstr(line, key);
    if (*at == NULL) return 0;
    const char *from = *at + strlen(key);
    char end = '}';
    if (key[strlen(key) - 1] == '=') end = *from == '{' ? '}' : *from;
    if (key[strlen(key) - 1] == '=' && *from) from++;
    const char *to = strchr(from, end);
    if (to == NULL || end == '\0' || to - from >= LABEL) return 0;
    snprintf(value, LABEL, "%.*s", (int)(to - from), from);
    return (int)(to + 1 - *at);
}

/* Whether the line is one of our boxes. */
static bool take_apart(const char *line, box *b)
{
    const char *at, *property = strstr(line, PROPERTY);
    *b = (box){ .line = line };
    if (strncmp(line, "box(", 4) != 0 || property == NULL || !strstr(line, " # "))
        return false;
    char *const words[] = { b->class_, b->p, b->second, b->second_p };
    const int room[] = { sizeof b->class_, sizeof b->p, sizeof b->second,
                         sizeof b->second_p };
    property += strlen(PROPERTY);
    for (int i = 0; i < 4; i++) {
        int n = (int)strcspn(property, ", \n");
        if (n >= room[i]) return false;
        snprintf(words[i], (size_t)room[i], "%.*s", n, property);
        property += n + (property[n] == ',');
    }
    if (find(line, " text=", &at, b->label) == 0 && at != NULL) return false;
    b->shown = *b->label != '\0';
    if (!b->shown) find(line, HIDDEN, &at, b->label);
    return strpbrk(b->label, "{}") == NULL;
}

/* Of a box that the user has not called something else. */
static void label(box *b, bool alternatives)
{
    size_t n = strcspn(b->label, " ");
    if (*b->label && (n != strlen(b->class_) || strncmp(b->label, b->class_, n) != 0))
        return;
    double p = strtod(b->p, NULL), second = strtod(b->second_p, NULL);
    if (!(p >= 0 && p <= 1 && second >= 0 && second <= 1)) return;
    int used = snprintf(b->label, LABEL, "%s", b->class_);
    if (*b->p) used += snprintf(b->label + used, LABEL - (size_t)used, " %.2f", p);
    if (alternatives && *b->second)
        snprintf(b->label + used, LABEL - (size_t)used, OR "%s %.2f", b->second,
                 second);
}

static const char *colour_of(const char *class_)
{
    static const char *const colours[RG_CLASSES] = {
        "magenta", "yellow", "orange", "red", "chartreuse", "pink", "white"
    };
    int i;
    return rg_boxes_class(class_, &i) == 0 && i > 0 ? colours[i] : colours[0];
}

/* The line without `length` characters from `at`. */
static void cut(char *line, const char *at, int length)
{
    if (length <= 0) return;
    char *from = line + (at - line);
    memmove(from, from + length, strlen(from + length) + 1);
}

static void print(const box *b, const rg_looks *how, FILE *to)
{
    char line[2048], old[LABEL];
    const char *at;
    snprintf(line, sizeof line, "%s", b->line);
    int n = find(line, " text=", &at, old);
    cut(line, at, n);
    n = find(line, HIDDEN, &at, old);
    cut(line, at, n);
    const char *rest = strstr(line, " #");
    if (rest == NULL) {                       /* it was in the label */
        fprintf(to, "%s\n", b->line);
        return;
    }
    fprintf(to, "%.*s #", (int)(rest - line), line);
    if (how->colours) fprintf(to, " color=%s", colour_of(b->class_));
    if (how->labels) fprintf(to, " text={%s}", b->label);
    else fprintf(to, HIDDEN "%s}", b->label);
    fprintf(to, "%s\n", rest + 2);
}

/* The next line of a text, cut to fit; whether there is one. */
static bool next_line(const char **text, char line[2048])
{
    if (**text == '\0') return false;
    int n = (int)strcspn(*text, "\n");
    snprintf(line, 2048, "%.*s", n, *text);
    *text += n + ((*text)[n] == '\n');
    return true;
}

void rg_looks_dress(const char *regions, const rg_looks *looks, FILE *to)
{
    char line[2048];
    for (const char *from = regions; next_line(&from, line);) {
        box b;
        if (take_apart(line, &b)) {
            label(&b, looks->alternatives);
            print(&b, looks, to);
        } else {
            fprintf(to, "%s\n", line);
        }
    }
}

rg_looks rg_looks_of(const char *regions)
{
    rg_looks looks = { .labels = false };
    char line[2048];
    for (const char *from = regions; next_line(&from, line);) {
        box b;
        if (!take_apart(line, &b)) continue;
        looks.boxes++;
        looks.labels |= b.shown;
        looks.alternatives |= strstr(b.label, OR) != NULL;
    }
    return looks;
}
