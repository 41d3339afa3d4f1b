/* SPDX-License-Identifier: MIT */
#include <sys/stat.h>
#include <unistd.h>

#include "core/data/folder.h"
#include "tests/check.h"

enum { SIDE = 100 };

static char root[64] = "/tmp/claran-test-folder.XXXXXX";

static char *in_root(const char *name)
{
    static char path[4][256];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof path[turn], "%s/%s", root, name);
    return path[turn];
}

static rg_simulation small(void)
{
    rg_simulation how = rg_simulate_defaults;
    how.seed = 42;
    how.size = SIDE;
    return how;
}

static rg_dataset *read_list(const char *name)
{
    rg_dataset *set = NULL;
    CHECK_OK(rg_dataset_read(&set, in_root(name)));
    return set;
}

static void same_pixels(const char *path, const rg_image *wanted)
{
    rg_image *image;
    CHECK_OK(rg_image_read(&image, path));
    CHECK(image->nx == wanted->nx && image->ny == wanted->ny);
    CHECK(memcmp(image->pixels, wanted->pixels,
                 (size_t)image->nx * image->ny * sizeof(float)) == 0);
    rg_image_free(image);
}

/* File `name` as one text; caller frees. */
static char *text_of(const char *name)
{
    char *text = calloc(1, 100000);
    FILE *file = fopen(in_root(name), "r");
    CHECK(file && fread(text, 1, 99999, file) > 0);
    if (file) fclose(file);
    return text;
}

static void simulated_fields_and_their_list(void)
{
    rg_simulation how = small();
    CHECK_OK(rg_folder_simulate(&how, 3, in_root("sky/"), NULL, NULL));
    rg_dataset *set = read_list("sky.csv");
    char *text = text_of("sky.csv");
    CHECK(set->nfields == 3);
    for (int i = 0; i < set->nfields; i++) {
        const rg_field *f = &set->fields[i];
        rg_simulated m;
        CHECK_OK(rg_simulate_field(&how, i, &m));
        same_pixels(f->path, m.radio);
        same_pixels(f->infrared, m.infrared);
        CHECK(f->nlabels == m.n);
        for (int j = 0; j < m.n; j++) {
            char host[80] = ",,,1\n";
            CHECK_NEAR(f->labels[j].xmax, m.labels[j].xmax, 1e-9);
            if (!isnan(m.hosts[j].ra))
                snprintf(host, sizeof host, ",%.6f,%.6f,1\n", m.hosts[j].ra,
                         m.hosts[j].dec);
            CHECK(strstr(text, host) != NULL);
        }
        rg_simulate_clear(&m);
    }
    CHECK(strncmp(text, "file,class,xmin,ymin,xmax,ymax,ir,host_ra_deg,host_dec_deg,"
                  "confidence\n", 70) == 0);
    free(text);
    rg_dataset_free(set);
}

/* Frames for the fields just made: same list, other frames, from anywhere; two files of
 * one name have two frames. */
static void frames_for_real_fields(void)
{
    rg_dataset *set = read_list("sky.csv"), *got;
    CHECK(mkdir(in_root("more"), 0777) == 0);
    CHECK(link(set->fields[0].path, in_root("more/sim_00000.fits")) == 0);
    FILE *list = fopen(in_root("both.csv"), "w");
    fprintf(list, "file,class,xmin,ymin,xmax,ymax\n"
            "sky/sim_00000.fits,1C_1P,1,1.25,9,9\n"
            "more/sim_00000.fits,?,2.5,2.5,8.5,8.5\nsky/sim_00001.fits,,,,,\n");
    fclose(list);
    rg_dataset_free(set);
    set = read_list("both.csv");
    CHECK_OK(rg_folder_infrared(set, NULL, 5, in_root("w1"), NULL, NULL));
    got = read_list("w1.csv");
    static const char *const name[] = { "sim_00000_w1.fits", "sim_00000_00001_w1.fits",
                                        "sim_00001_w1.fits" };
    CHECK(got->nfields == 3 && got->fields[0].nlabels == 1);
    for (int i = 0; i < 3 && i < got->nfields; i++) {
        char *path = realpath(set->fields[i].path, NULL);
        CHECK(strcmp(got->fields[i].file, path) == 0);
        CHECK(strcmp(strrchr(got->fields[i].infrared, '/') + 1, name[i]) == 0);
        free(path);
    }
    CHECK_NEAR(got->fields[0].labels[0].ymin, 1.25, 1e-9);
    CHECK(got->fields[1].labels[0].class_ == RG_CLASS_IGNORE);
    CHECK(got->fields[got->nfields - 1].nlabels == 0);
    rg_dataset_free(got);
    rg_dataset_free(set);
}

/* Same seed, same frames; another seed, others. */
static void frames_come_from_the_seed(void)
{
    rg_dataset *set = read_list("sky.csv");
    rg_image *first, *again, *other;
    CHECK_OK(rg_folder_infrared(set, NULL, 5, in_root("a"), NULL, NULL));
    CHECK_OK(rg_folder_infrared(set, NULL, 5, in_root("b"), NULL, NULL));
    CHECK_OK(rg_folder_infrared(set, NULL, 6, in_root("c"), NULL, NULL));
    CHECK_OK(rg_image_read(&first, in_root("a/sim_00001_w1.fits")));
    CHECK_OK(rg_image_read(&again, in_root("b/sim_00001_w1.fits")));
    CHECK_OK(rg_image_read(&other, in_root("c/sim_00001_w1.fits")));
    CHECK(first->checksum == again->checksum);
    CHECK(first->checksum != other->checksum);
    rg_image_free(first);
    rg_image_free(again);
    rg_image_free(other);
    rg_dataset_free(set);
}

static void bad_ones_are_sentences(void)
{
    rg_simulation how = small();
    rg_dataset *set = read_list("sky.csv");
    CHECK_FAILS(rg_folder_simulate(&how, 1, "", NULL, NULL), "folder");
    CHECK_FAILS(rg_folder_simulate(&how, 1, "/nowhere/at/all", NULL, NULL),
                "/nowhere/at/all");
    CHECK(truncate(set->fields[1].path, 100) == 0);
    CHECK_FAILS(rg_folder_infrared(set, NULL, 5, in_root("bad"), NULL, NULL),
                "sim_00001.fits");
    CHECK(access(in_root("bad.csv"), F_OK) != 0);
    rg_dataset_free(set);
}

int main(void)
{
    char remove[128];
    if (mkdtemp(root) == NULL) {
        printf("FAIL folder in /tmp\n");
        return EXIT_FAILURE;
    }
    CHECK_RUN(simulated_fields_and_their_list);
    CHECK_RUN(frames_for_real_fields);
    CHECK_RUN(frames_come_from_the_seed);
    CHECK_RUN(bad_ones_are_sentences);
    snprintf(remove, sizeof remove, "rm -rf %s", root);
    if (system(remove) != 0) return EXIT_FAILURE;
    return CHECK_END();
}
