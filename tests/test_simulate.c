/* SPDX-License-Identifier: MIT */
#include <zlib.h>

#include "core/image/island.h"
#include "core/data/label.h"
#include "core/data/simulate.h"
#include "tests/check.h"

enum { SIDE = 100 };

static rg_simulation small(void)
{
    rg_simulation how = rg_simulate_defaults;
    how.seed = 42;
    how.size = SIDE;
    return how;
}

/* Field number `index`. */
static rg_simulated make(const rg_simulation *how, int index)
{
    rg_simulated m;
    CHECK_OK(rg_simulate_field(how, index, &m));
    return m;
}

static void repeats_itself(void)
{
    rg_simulation how = small();
    rg_simulated a = make(&how, 3), b = make(&how, 3), other = make(&how, 4);
    size_t bytes = SIDE * SIDE * sizeof(float);
    CHECK(memcmp(a.radio->pixels, b.radio->pixels, bytes) == 0);
    CHECK(memcmp(a.radio->pixels, other.radio->pixels, bytes) != 0);
    CHECK(a.n == b.n);
    for (int i = 0; i < a.n && i < b.n; i++)
        CHECK(a.labels[i].class_ == b.labels[i].class_ &&
              a.labels[i].xmin == b.labels[i].xmin);
    how.seed++;
    rg_simulated c = make(&how, 3);
    CHECK(memcmp(a.radio->pixels, c.radio->pixels, bytes) != 0);
    rg_simulate_clear(&a);
    rg_simulate_clear(&b);
    rg_simulate_clear(&c);
    rg_simulate_clear(&other);
}

/* Stretched, some sources are as large as none is else; all are inside the frame. */
static void stretches_sources(void)
{
    rg_simulation how = small();
    double longest[2] = { 0, 0 };
    how.size = 400;
    how.density = 0.3;
    for (int k = 0; k < 2; k++) {
        how.stretch = k ? 10 : 1;
        for (int index = 0; index < 4; index++) {
            rg_simulated m = make(&how, index);
            for (int i = 0; i < m.n; i++) {
                const rg_label *l = &m.labels[i];
                CHECK(l->xmin >= 0.5 && l->xmax <= 400.5 && l->xmax > l->xmin);
                double size = hypot(l->xmax - l->xmin, l->ymax - l->ymin) * how.pixel;
                longest[k] = fmax(longest[k], size);
            }
            rg_simulate_clear(&m);
        }
    }
    CHECK(longest[0] > 20 && longest[0] < 150 && longest[1] > 180);
    how.stretch = 0.5;
    rg_simulated none;
    CHECK_FAILS(rg_simulate_field(&how, 0, &none), "stretched");
}

/* Every box is inside the frame and touches, on each side, its island above 4 sigma. */
static void labels_what_is_there(void)
{
    rg_simulation how = small();
    for (int index = 0; index < 20; index++) {
        rg_simulated m = make(&how, index);
        double median, sigma;
        CHECK_OK(rg_image_noise(m.radio->pixels, SIDE * SIDE, &median, &sigma));
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
                    highest = fmaxf(highest, m.radio->pixels[y * SIDE + x]);
            CHECK(highest > 5 * sigma);
        }
        rg_simulate_clear(&m);
    }
}

/* The class is what the arithmetic gives for the pixels of a lone source. */
static void obeys_the_arithmetic(void)
{
    rg_simulation how = small();
    int lone = 0, same = 0;
    how.density = 0;
    for (int index = 0; index < 40; index++) {
        rg_simulated m = make(&how, index);
        rg_island *islands;
        double median, sigma;
        int n, components = 0, peaks = 0;
        CHECK_OK(rg_image_noise(m.radio->pixels, SIDE * SIDE, &median, &sigma));
        CHECK_OK(rg_island_find(m.radio->pixels, SIDE, SIDE,
                                    RG_ISLAND_BASE * sigma, RG_ISLAND_STEP, &islands,
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
        rg_simulate_clear(&m);
    }
    CHECK(lone >= 30);
    CHECK(same >= 0.85 * lone);
}

static void makes_every_class(void)
{
    rg_simulation how = small();
    int count[RG_CLASSES] = { 0 }, total = 0;
    for (int index = 0; index < 150; index++) {
        rg_simulated m = make(&how, index);
        for (int i = 0; i < m.n; i++)
            if (m.labels[i].class_ > 0) count[m.labels[i].class_]++, total++;
        rg_simulate_clear(&m);
    }
    for (int c = 1; c < RG_CLASSES; c++) CHECK(count[c] >= 0.08 * total);
    CHECK(count[1] < 0.45 * total);
}

static void has_the_beam_and_the_sky(void)
{
    rg_simulation how = small();
    rg_simulated m = make(&how, 0);
    CHECK_NEAR(m.radio->beam[0], 5.4, 1e-9);
    CHECK_NEAR(rg_sky_pixel_arcsec(m.radio->sky), 1.8, 1e-6);
    CHECK(strcmp(m.radio->unit, "Jy/beam") == 0);
    rg_simulate_clear(&m);
}

/* The radio sky is what it was before there was an infrared one, with any compiler. */
static void infrared_is_beside_the_radio(void)
{
    rg_simulation how = rg_simulate_defaults;
    uLong sum = 0;
    how.seed = 7;
    for (int index = 0; index < 6; index++) {
        rg_simulated m = make(&how, index);
        size_t bytes = (size_t)m.radio->nx * m.radio->ny * sizeof(float);
        sum = crc32_z(sum, (const Bytef *)m.radio->pixels, bytes);
        rg_simulate_clear(&m);
    }
    CHECK(sum == 0x3ebcd532ul);
}

/* Hosts lie in the boxes of their sources, and differ from field to field. */
static void hosts_belong_to_their_sources(void)
{
    rg_simulation how = small();
    double magnitude = 0;
    for (int index = 0; index < 10; index++) {
        rg_simulated m = make(&how, index);
        CHECK(m.hosts[0].magnitude != magnitude);
        magnitude = m.hosts[0].magnitude;
        for (int i = 0; i < m.n; i++) {
            double x, y;
            const rg_label *l = &m.labels[i];
            if (isnan(m.hosts[i].ra)) continue;
            CHECK_OK(rg_sky_to_pixel(m.radio->sky, m.hosts[i].ra, m.hosts[i].dec, &x,
                                     &y));
            CHECK(x > l->xmin - 2 && x < l->xmax + 2);
            CHECK(y > l->ymin - 2 && y < l->ymax + 2);
        }
        rg_simulate_clear(&m);
    }
}

static void refuses_nonsense(void)
{
    rg_simulated field;
    rg_simulation how = small();
    how.size = 3;
    CHECK_FAILS(rg_simulate_field(&how, 0, &field), "3 pixels");
    how = small();
    how.pixel = NAN;
    CHECK_FAILS(rg_simulate_field(&how, 0, &field), "arcsec");
    how = small();
    how.noise = -1;
    CHECK_FAILS(rg_simulate_field(&how, 0, &field), "noise");
}

int main(void)
{
    CHECK_RUN(repeats_itself);
    CHECK_RUN(stretches_sources);
    CHECK_RUN(labels_what_is_there);
    CHECK_RUN(obeys_the_arithmetic);
    CHECK_RUN(makes_every_class);
    CHECK_RUN(has_the_beam_and_the_sky);
    CHECK_RUN(infrared_is_beside_the_radio);
    CHECK_RUN(hosts_belong_to_their_sources);
    CHECK_RUN(refuses_nonsense);
    return CHECK_END();
}
