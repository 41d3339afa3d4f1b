/* SPDX-License-Identifier: MIT */
#include "core/data/infrared.h"
#include "core/data/simulate.h"
#include "regions/counterpart.h"
#include "regions/measure.h"
#include "regions/noise.h"
#include "tests/check.h"

#define PEAK 0.0197               /* of a star of one count (core/data/infrared.c) */

static const rg_candidate none = { NAN, NAN, NAN, NAN, NAN, NAN };

/* A frame of 3' about ra, dec with these objects; quiet: without field objects. */
static rg_image *frame(double ra, double dec, const rg_host *hosts, int n)
{
    rg_sky *sky;
    rg_image *w;
    CHECK_OK(rg_sky_new_tangent(&sky, ra, dec, 100, 1.8));
    CHECK_OK(rg_infrared_make(sky, 100, 100, hosts, n, 9, &w));
    rg_sky_free(sky);
    return w;
}

/* A compact radio source at ra, dec. */
static rg_counterpart_radio compact(double ra, double dec)
{
    return (rg_counterpart_radio){ .ra = ra, .dec = dec, .error = 0.2, .size = 12,
                                   .npeaks = 1 };
}

/* Also where right ascension begins anew, and near the pole. */
static void finds_the_galaxy_at_the_source(void)
{
    static const double places[][2] = { { 180, 40 }, { 0.0001, -0.0001 },
                                        { 359.9999, 20 }, { 90, 89 } };
    for (int i = 0; i < 4; i++) {
        double ra = places[i][0], dec = places[i][1];
        rg_host host = { fmod(ra + 0.0002 + 360, 360), dec - 0.0002, 13.5 };
        rg_image *w = frame(ra, dec, &host, 1);
        rg_counterpart_radio radio = compact(ra, dec);
        rg_counterparts *objects;
        rg_candidate best[2];
        double no;
        CHECK_OK(rg_counterpart_find(&objects, w));
        rg_counterpart_choose(objects, &radio, best, &no);
        CHECK(rg_sky_separation(best[0].ra, best[0].dec, host.ra, host.dec) < 0.7);
        CHECK(best[0].position_error > 0.1 && best[0].position_error < 0.5);
        CHECK_NEAR(best[0].flux, 0.82 * pow(10, 0.4 * (20.5 - 13.5)), 60);
        CHECK(best[0].snr > 50);
        CHECK(best[0].probability > 0.9 && best[0].probability + no <= 1);
        rg_counterpart_free(objects);
        rg_image_free(w);
    }
}

/* Nothing near: the answer is none; not shown: no answer. */
static void says_none(void)
{
    rg_host away = { 180.012, 40.012, 13.5 };
    rg_image *w = frame(180, 40, &away, 1);
    rg_counterpart_radio radio = compact(180, 40), outside = compact(181, 40);
    rg_counterparts *objects;
    rg_candidate best[2] = { none, none };
    double no;
    CHECK_OK(rg_counterpart_find(&objects, w));
    rg_counterpart_choose(objects, &radio, best, &no);
    CHECK(no > 0.5 && best[0].probability < 0.4);
    rg_counterpart_choose(objects, &outside, best, &no);
    CHECK(isnan(no) && isnan(best[0].ra) && isnan(best[1].ra));
    rg_counterpart_free(objects);
    for (int p = 0; p < w->nx * w->ny; p++) w->pixels[p] = NAN;
    CHECK_OK(rg_counterpart_find(&objects, w));
    rg_counterpart_choose(objects, &radio, best, &no);
    CHECK(isnan(no));
    rg_counterpart_free(objects);
    rg_image_free(w);
}

/* Of two alike the one on the axis; probabilities are ordered and sum to one. */
static void prefers_the_axis(void)
{
    double off = 9.0 / 3600;
    const rg_host two[2] = { { 180, 40 + off, 14 },
                             { 180 + off / cos(40 * M_PI / 180), 40, 14 } };
    rg_image *w = frame(180, 40, two, 2);
    rg_counterpart_radio radio = { .ra = 180, .dec = 40, .error = 0.2, .size = 80 };
    rg_counterparts *objects;
    rg_candidate best[2];
    double no;
    CHECK_OK(rg_counterpart_find(&objects, w));
    for (int k = 0; k < 2; k++) {
        radio.pa = 90 * k;
        rg_counterpart_choose(objects, &radio, best, &no);
        CHECK(rg_sky_separation(best[0].ra, best[0].dec, two[k].ra, two[k].dec) < 1);
        CHECK(rg_sky_separation(best[1].ra, best[1].dec, two[!k].ra, two[!k].dec) < 1);
        CHECK(best[0].probability > best[1].probability);
        CHECK_NEAR(best[0].probability + best[1].probability + no, 1, 0.05);
    }
    rg_counterpart_free(objects);
    rg_image_free(w);
}

static void needs_a_sky(void)
{
    rg_image *bare;
    rg_counterparts *objects;
    CHECK_OK(rg_image_new(&bare, 20, 20, NULL));
    CHECK_FAILS(rg_counterpart_find(&objects, bare), "no counterparts");
    rg_image_free(bare);
}

typedef struct tally { int all, right, hidden, none; } tally;

/* Fields of one source: its box measured with the W1 frame.  What is below 5 times the
 * frame's noise (1.4826 MAD of its pixels) does not count. */
static void try_field(const rg_simulated *f, tally *t)
{
    const rg_label *l = f->labels;
    rg_detection box = { .xmin = l->xmin - 1, .ymin = l->ymin - 1, .xmax = l->xmax + 1,
                         .ymax = l->ymax + 1, .class_ = l->class_ };
    const rg_host *host = f->hosts;
    rg_source s;
    double median, sigma, height = PEAK * pow(10, 0.4 * (20.5 - host->magnitude));
    CHECK_OK(rg_measure(f->radio, f->infrared, &rg_measure_defaults, &box, 1, &s));
    size_t n = (size_t)f->infrared->nx * f->infrared->ny;
    CHECK_OK(rg_image_noise(f->infrared->pixels, n, &median, &sigma));
    CHECK(!(s.flags & RG_FLAG_NO_HOST) == !(s.no_host > 0.5));
    if (isnan(host->ra)) {
        t->hidden++;
        t->none += s.no_host > 0.5;
    } else if (height >= 5 * sigma) {
        t->all++;
        t->right += rg_sky_separation(s.host[0].ra, s.host[0].dec, host->ra, host->dec)
                    < 3;
    }
}

static void finds_simulated_hosts(void)
{
    rg_simulation how = rg_simulate_defaults;
    tally t = { 0, 0, 0, 0 };
    int n = getenv("RG_FULL") ? 1000 : 120;
    how.seed = 7;
    how.size = 100;
    how.density = 0;
    for (int i = 0; i < n; i++) {
        rg_simulated field;
        CHECK_OK(rg_simulate_field(&how, i, &field));
        if (field.n == 1) try_field(&field, &t);
        rg_simulate_clear(&field);
    }
    CHECK(t.all > 0.8 * n);
    CHECK(t.right >= 0.94 * t.all);
    if (getenv("RG_SHOW"))
        printf("hosts %d of %d right, none said %d of %d times\n", t.right, t.all,
               t.none, t.hidden);
}

int main(void)
{
    CHECK_RUN(finds_the_galaxy_at_the_source);
    CHECK_RUN(says_none);
    CHECK_RUN(prefers_the_axis);
    CHECK_RUN(needs_a_sky);
    CHECK_RUN(finds_simulated_hosts);
    return CHECK_END();
}
