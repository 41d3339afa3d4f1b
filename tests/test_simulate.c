/* SPDX-License-Identifier: MIT */
#include <unistd.h>

#include "core/image/contour.h"
#include "core/learning/label.h"
#include "core/learning/simulate.h"
#include "tests/check.h"

enum { SIDE = 100 };

static rg_simulation small(void)
{
    rg_simulation how = rg_simulate_defaults;
    how.seed = 42;
    how.size = SIDE;
    return how;
}

/* Field number `index`, to be dropped with drop(). */
typedef struct made { rg_image *image; rg_label *labels; int n; } made;

static made make(const rg_simulation *how, int index)
{
    made m;
    CHECK_OK(rg_simulate_field(how, index, &m.image, &m.labels, &m.n));
    return m;
}

static void drop(made *m)
{
    rg_image_free(m->image);
    free(m->labels);
}

static void repeats_itself(void)
{
    rg_simulation how = small();
    made a = make(&how, 3), b = make(&how, 3), other = make(&how, 4);
    size_t bytes = SIDE * SIDE * sizeof(float);
    CHECK(memcmp(a.image->pixels, b.image->pixels, bytes) == 0);
    CHECK(memcmp(a.image->pixels, other.image->pixels, bytes) != 0);
    CHECK(a.n == b.n);
    for (int i = 0; i < a.n && i < b.n; i++)
        CHECK(a.labels[i].class_ == b.labels[i].class_ &&
              a.labels[i].xmin == b.labels[i].xmin);
    how.seed++;
    made c = make(&how, 3);
    CHECK(memcmp(a.image->pixels, c.image->pixels, bytes) != 0);
    drop(&a);
    drop(&b);
    drop(&c);
    drop(&other);
}

/* Every box is inside the frame and touches, on each side, its island above 4 sigma. */
static void labels_what_is_there(void)
{
    rg_simulation how = small();
    for (int index = 0; index < 20; index++) {
        made m = make(&how, index);
        double median, sigma;
        CHECK_OK(rg_image_noise(m.image->pixels, SIDE * SIDE, &median, &sigma));
        CHECK(m.n >= 1);
        CHECK(sigma > 0.8 * how.noise && sigma < 2 * how.noise);
        for (int i = 0; i < m.n; i++) {
            const rg_label *l = &m.labels[i];
            float highest = 0;
            CHECK(l->class_ == RG_CLASS_IGNORE ||
                  (l->class_ > 0 && l->class_ < RG_CLASSES));
            CHECK(l->xmin >= 0.5 && l->ymin >= 0.5 && l->xmax <= SIDE + 0.5 &&
                  l->ymax <= SIDE + 0.5 && l->xmin < l->xmax && l->ymin < l->ymax);
            for (int y = (int)l->ymin; y < (int)l->ymax; y++)
                for (int x = (int)l->xmin; x < (int)l->xmax; x++)
                    highest = fmaxf(highest, m.image->pixels[y * SIDE + x]);
            CHECK(highest > 5 * sigma);
        }
        drop(&m);
    }
}

/* The class is what the arithmetic gives for the pixels of a lone source. */
static void obeys_the_arithmetic(void)
{
    rg_simulation how = small();
    int lone = 0, same = 0;
    how.density = 0;
    for (int index = 0; index < 40; index++) {
        made m = make(&how, index);
        rg_island *islands;
        double median, sigma;
        int n, components = 0, peaks = 0;
        CHECK_OK(rg_image_noise(m.image->pixels, SIDE * SIDE, &median, &sigma));
        CHECK_OK(rg_contour_islands(m.image->pixels, SIDE, SIDE,
                                    RG_CONTOUR_BASE * sigma, RG_CONTOUR_STEP, &islands,
                                    &n, NULL));
        for (int i = 0; i < n; i++) {
            if (islands[i].npixels < 3) continue;
            components++;
            peaks += islands[i].peaks;
        }
        if (m.n == 1 && m.labels[0].class_ > 0) {
            lone++;
            same += rg_label_class(components, peaks) == m.labels[0].class_;
        }
        free(islands);
        drop(&m);
    }
    CHECK(lone >= 30);
    CHECK(same >= 0.85 * lone);
}

static void makes_every_class(void)
{
    rg_simulation how = small();
    int count[RG_CLASSES] = { 0 }, total = 0;
    for (int index = 0; index < 150; index++) {
        made m = make(&how, index);
        for (int i = 0; i < m.n; i++)
            if (m.labels[i].class_ > 0) count[m.labels[i].class_]++, total++;
        drop(&m);
    }
    for (int c = 1; c < RG_CLASSES; c++) CHECK(count[c] >= 0.08 * total);
    CHECK(count[1] < 0.45 * total);
}

static void has_the_beam_and_the_sky(void)
{
    rg_simulation how = small();
    made m = make(&how, 0);
    CHECK_NEAR(m.image->beam[0], 5.4, 1e-9);
    CHECK_NEAR(rg_sky_pixel_arcsec(m.image->sky), 1.8, 1e-6);
    CHECK(strcmp(m.image->unit, "Jy/beam") == 0);
    drop(&m);
}

static void writes_a_list(void)
{
    char folder[] = "/tmp/test_simulate.XXXXXX", path[96];
    rg_simulation how = small();
    rg_dataset *set;
    rg_image *image;
    if (mkdtemp(folder) == NULL) CHECK_SKIP("no room in /tmp");
    CHECK_OK(rg_simulate_write(&how, 3, folder, NULL, NULL));
    snprintf(path, sizeof path, "%s.csv", folder);
    CHECK_OK(rg_dataset_read(&set, path));
    CHECK(set != NULL && set->nfields == 3);
    for (int i = 0; set && i < set->nfields; i++) {
        made m = make(&how, i);
        CHECK_OK(rg_image_read(&image, set->fields[i].path));
        CHECK(memcmp(image->pixels, m.image->pixels, SIDE * SIDE * sizeof(float)) == 0);
        CHECK(set->fields[i].nlabels == m.n);
        for (int j = 0; j < m.n && j < set->fields[i].nlabels; j++)
            CHECK_NEAR(set->fields[i].labels[j].xmax, m.labels[j].xmax, 0.06);
        unlink(set->fields[i].path);
        rg_image_free(image);
        drop(&m);
    }
    rg_dataset_free(set);
    unlink(path);
    rmdir(folder);
}

static void refuses_nonsense(void)
{
    rg_image *image;
    rg_label *labels;
    int n;
    rg_simulation how = small();
    how.size = 3;
    CHECK_FAILS(rg_simulate_field(&how, 0, &image, &labels, &n), "3 pixels");
    how = small();
    how.pixel = NAN;
    CHECK_FAILS(rg_simulate_field(&how, 0, &image, &labels, &n), "arcsec");
    how = small();
    how.noise = -1;
    CHECK_FAILS(rg_simulate_field(&how, 0, &image, &labels, &n), "noise");
    how = small();
    CHECK_FAILS(rg_simulate_write(&how, 1, "", NULL, NULL), "folder");
    CHECK_FAILS(rg_simulate_write(&how, 1, "/nowhere/at/all", NULL, NULL),
                "/nowhere/at/all");
}

int main(void)
{
    CHECK_RUN(repeats_itself);
    CHECK_RUN(labels_what_is_there);
    CHECK_RUN(obeys_the_arithmetic);
    CHECK_RUN(makes_every_class);
    CHECK_RUN(has_the_beam_and_the_sky);
    CHECK_RUN(writes_a_list);
    CHECK_RUN(refuses_nonsense);
    return CHECK_END();
}
