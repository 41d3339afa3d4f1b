/* SPDX-License-Identifier: MIT */
#include "tests/check.h"

#include <stdbool.h>

#include "core/image/sky.h"
#include "regions/region.h"

static const rg_provenance from = { .file = "a.fits", .checksum = 0x89abcdef,
                                    .model = "0a1b2c3d-4e5f", .method = "D1",
                                    .version = "0.1.0" };

static const rg_detection three[] = {
    { .ra = 150.1028667, .dec = -2.2005729, .width = 20, .height = 21.5,
      .angle = 350.25, .class_ = 5, .probability = 0.9312f, .second = 4,
      .second_probability = 0.0512f },
    { .ra = 0, .dec = 89, .width = 180, .height = 1, .class_ = 1, .probability = 1 },
    { .ra = 359.99999, .dec = 0, .width = 5, .height = 5, .class_ = 6,
      .probability = 0.8f },
};

static char *print(const rg_detection *found, int n)
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    if (file == NULL) return NULL;
    rg_region_header(file);
    for (int i = 0; i < n; i++) rg_region_print(file, &found[i], 0, &from);
    fclose(file);
    return text;
}

static void region_is_exact(void)
{
    char *text = print(three, 1);
    CHECK(text != NULL && strcmp(text,
        "# Region file format: DS9 version 4.1\n"
        "global color=magenta width=2 font=\"helvetica 12 bold roman\"\n"
        "icrs\n"
        "box(150.10286670,-2.20057290,20.000\",21.500\",350.2500) # text={2C_3P 0.93} "
        "tag={claran} tag={claran D1 model 0a1b2c3d-4e5f image 89abcdef "
        "version 0.1.0} "
        "claran=2C_3P,0.9312,2C_2P,0.0512,150.102867,-2.200573,20.00,21.50,350.25\n")
          == 0);
    free(text);
}

/* DS9 8.4.1 keeps 79 characters of what it does not know. */
static void region_properties_are_short(void)
{
    const rg_detection longest = { .ra = 359.999999, .dec = -89.999999,
        .width = 9999.99, .height = 9999.99,
        .angle = 359.99, .class_ = 5, .probability = 0.9312f,
        .second = 4, .second_probability = 0.0512f };
    char *text = print(&longest, 1);
    const char *at = text ? strstr(text, " claran=") : NULL;
    CHECK(at != NULL && strcspn(at + 1, "\n") <= 79);
    free(text);
}

static void region_comes_back(void)
{
    char *text = print(three, 3);
    rg_source *found = NULL;
    rg_provenance read = { .file = "kept" };
    int n = 0;
    CHECK_OK(rg_region_parse(text, &found, &n, &read));
    CHECK(n == 3);
    for (int i = 0; i < n; i++) {
        const rg_detection *d = &found[i].box;
        CHECK_NEAR(d->ra, three[i].ra, 1e-8);
        CHECK_NEAR(d->dec, three[i].dec, 1e-8);
        CHECK_NEAR(d->width, three[i].width, 1e-3);
        CHECK_NEAR(d->height, three[i].height, 1e-3);
        CHECK_NEAR(d->angle, three[i].angle, 1e-4);
        CHECK_NEAR(d->probability, three[i].probability, 1e-4);
        CHECK_NEAR(d->second_probability, three[i].second_probability, 1e-4);
        CHECK(d->class_ == three[i].class_ && d->second == three[i].second);
        CHECK(found[i].flags == 0);
    }
    CHECK(read.checksum == from.checksum && !strcmp(read.model, from.model));
    CHECK(!strcmp(read.method, "D1") && !strcmp(read.version, "0.1.0"));
    CHECK(!strcmp(read.file, "kept"));
    free(found);
    free(text);
}

/* Found by tests/fuzz: what the line before had left there was read. */
static void a_label_of_nothing_is_none(void)
{
    const char *text = "icrs\nbox(150,30,30\",20\",15) # text='1C_1P'\n"
                       "box(150,30,30\",20\",15) # text=\n";
    rg_source *found = NULL;
    rg_provenance read = { .file = "kept" };
    int n = 0;
    CHECK_OK(rg_region_parse(text, &found, &n, &read));
    CHECK(n == 1);
    free(found);
}

#define WAS " claran=2C_3P,0.9312,1C_2P,0.0512,116.395000,33.965000,20.00,30.00,10.00\n"
#define HERE "box(116.3950000,33.9650000,20.000\",30.000\",10) # "

/* What DS9 8.4.1 answers, after a user did this and that. */
static const struct { const char *line; int class_; unsigned flags; } answers[] = {
    { HERE "color=magenta width=2 text={2C_3P 0.93} tag={claran}" WAS, 5, 0 },
    { "box(116.3950000,33.9650000,20.000\",30.000\",189.99999) # text={2C_3P 0.9}"
      WAS, 5, 0 },       /* turned by half a turn */
    { HERE "font=\"times\"" WAS, 5, 0 },                    /* the label is hidden */
    { "box(116.3950100,33.9650000,20.000\",30.000\",10) # text={2C_3P 0.93}" WAS, 5,
      RG_FLAG_EDITED },
    { "box(116.3950000,33.9650000,20.050\",30.000\",10) # text={2C_3P 0.93}" WAS, 5,
      RG_FLAG_EDITED },
    { "box(116.3950000,33.9650000,20.000\",30.000\",11) # text={2C_3P 0.93}" WAS, 5,
      RG_FLAG_EDITED },
    { HERE "text={1C_2P 0.93}" WAS, 2, RG_FLAG_BY_HAND },
    { HERE "text={3C_3P}\n", 6, RG_FLAG_BY_HAND },
    { HERE "text=\"3C_3P, surely\"\n", 0, 0 },
    { HERE "text='2C_2P 0.5 says me' color=red\n", 4, RG_FLAG_BY_HAND },
    { HERE "text={2C_3P} tag={claran} claran=2C_3P,,,,,,,,\n", 5, RG_FLAG_BY_HAND },
    { HERE "text={2C_3P 0.93} claran=2C_3P,0.9312,,,,,,,\n", 5, RG_FLAG_EDITED },
    { HERE "text={mine} tag={claran}\n", 0, 0 },
    { "circle(116.3950000,33.9650000,5.000\") # text={user}\n", 0, 0 },
    { "# ClaRAN: file= claran=2C_3P text={2C_3P}\n", 0, 0 },
};

static void region_knows_edits(void)
{
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        char text[512];
        rg_source *found = NULL;
        rg_provenance read = { .file = "" };
        int n = -1;
        snprintf(text, sizeof text, "global select=1\nfk5\n%s", answers[i].line);
        CHECK_OK(rg_region_parse(text, &found, &n, &read));
        CHECK(n == (answers[i].class_ > 0));
        if (n == 1) {
            bool by_hand = found->flags & RG_FLAG_BY_HAND;
            CHECK(found->box.class_ == answers[i].class_);
            CHECK(found->flags == answers[i].flags);
            CHECK(by_hand ? isnan(found->box.probability) && !found->box.second
                          : fabs((double)found->box.probability - 0.9312) < 1e-6);
        }
        if (check_failed_) printf("%s", answers[i].line);
        free(found);
    }
}

static void region_refuses_damage(void)
{
    static const char *const bad[][2] = {
        { "icrs\nbox(1,2,3\",4\") # claran=1C_1P,0.9", "not a labelled box" },
        { "icrs\nbox(1,2,3,4,0) # claran=1C_1P,0.9", "not a labelled box" },
        { "icrs\nbox(nan,2,3\",4\",0) # claran=1C_1P,0.9", "not a labelled box" },
        { "icrs\nbox(1,2,-3\",4\",0) # claran=1C_1P,0.9", "not a labelled box" },
        { "icrs\nbox(1,2,3\",4\",0) # claran=7C_1P,0.9", "not a labelled box" },
        { "icrs\nbox(1,2,3\",4\",0) # claran=background,0.9", "not a labelled box" },
        { "icrs\nbox(1,2,3\",4\",0) # claran=1C_1P,1.9", "not a labelled box" },
        { "icrs\nbox(1,2,3\",4\",0) # claran=1C_1P,nan", "not a labelled box" },
        { "icrs\nbox(1,2,3\",4\",0) # claran=1C_1P,0.9,1C_2P,", "not a labelled box" },
        { "icrs\nbox(1,2,3\",4\",0) # claran=1C_1P,0.9,,,x,1,1,1,1",
          "not a labelled box" },
        { "icrs\ncircle(1,2,3\") # text={1C_1P}", "region with a class" },
        { "icrs\nbox(1,2,3\",4\",0) # text={2C-2P} claran=1C_1P,0.9",
          "label \"2C-2P\" of the box at 1.000000 +2.000000 is no class" },
        { "image\nbox(1,2,3,4,0) # text={1C_1P}", "not in sky coordinates" },
        { "galactic;box(1,2,3\",4\",0) # text={1C_1P}", "not in sky coordinates" },
        { "box(1,2,3\",4\",0) # text={1C_1P}", "not in sky coordinates" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        rg_source *found = NULL;
        rg_provenance read = { .file = "" };
        int n = 0;
        CHECK_FAILS(rg_region_parse(bad[i][0], &found, &n, &read), bad[i][1]);
    }
}

/* A 100 x 100 image of 1.8" pixels, its +y axis at position angle `angle` [deg]. */
static rg_sky *rotated(double angle, int mirrored)
{
    char cards[80 * 11 + 1];
    double d = 1.8 / 3600, turn = angle * M_PI / 180;
    double c = d * cos(turn), s = d * sin(turn);
    double x = mirrored ? 1 : -1;
    const char *axis[] = { "RA---TAN", "DEC--TAN" };
    const char *const key[] = { "CRVAL1", "CRVAL2", "CRPIX1", "CRPIX2",
                                "CD1_1", "CD1_2", "CD2_1", "CD2_2" };
    const double value[] = { 150, 30, 50.5, 50.5, x * c, s, -x * s, c };
    rg_sky *sky = NULL;
    for (int i = 0; i < 2; i++) {
        char card[96];
        snprintf(card, sizeof card, "CTYPE%d  = '%s'", i + 1, axis[i]);
        sprintf(cards + 80 * i, "%-80s", card);
    }
    for (int i = 0; i < 8; i++)
        sprintf(cards + 80 * (2 + i), "%-8s= %20.12g%50s", key[i], value[i], "");
    sprintf(cards + 800, "%-80s", "RADESYS = 'ICRS    '");
    CHECK_OK(rg_sky_new(&sky, cards, 11, 100, 100));
    return sky;
}

static void region_is_placed(void)
{
    for (int i = 0; i < 4; i++) {
        double angle = i % 2 ? 30 : 0;
        rg_sky *sky = rotated(angle, i > 1);
        if (sky == NULL) return;
        rg_detection d = { .width = 36, .height = 72, .angle = angle + 180 };
        CHECK_OK(rg_sky_to_world(sky, 40, 60, &d.ra, &d.dec));
        CHECK_OK(rg_region_place(&d, sky));
        CHECK_NEAR(d.xmin, 30, 0.02);
        CHECK_NEAR(d.xmax, 50, 0.02);
        CHECK_NEAR(d.ymin, 40, 0.02);
        CHECK_NEAR(d.ymax, 80, 0.02);
        d.angle += 90;
        CHECK_OK(rg_region_place(&d, sky));
        CHECK_NEAR(d.xmax - d.xmin, 40, 0.04);
        CHECK_NEAR(d.ymax - d.ymin, 20, 0.04);
        rg_sky_free(sky);
    }
}

int main(void)
{
    CHECK_RUN(region_is_exact);
    CHECK_RUN(region_properties_are_short);
    CHECK_RUN(region_comes_back);
    CHECK_RUN(a_label_of_nothing_is_none);
    CHECK_RUN(region_knows_edits);
    CHECK_RUN(region_refuses_damage);
    CHECK_RUN(region_is_placed);
    return CHECK_END();
}
