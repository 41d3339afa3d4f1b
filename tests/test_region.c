/* SPDX-License-Identifier: MIT */
#include "tests/check.h"

#include "core/image/sky.h"
#include "regions/region.h"

static const rg_provenance from = { "a.fits", 0x89abcdef, "0a1b2c3d-4e5f", "D1",
                                    "0.1.0" };

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
    rg_region_print(file, found, n, &from);
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
        "claran_class=2C_3P claran_p=0.9312 claran_2=2C_2P claran_2p=0.0512\n") == 0);
    free(text);
}

/* DS9 8.4.1 keeps 79 characters of what it does not know. */
static void region_properties_are_short(void)
{
    char *text = print(three, 1);
    const char *at = text ? strstr(text, "claran_class=") : NULL;
    CHECK(at != NULL && strcspn(at, "\n") < 80);
    free(text);
}

static void region_comes_back(void)
{
    char *text = print(three, 3);
    rg_detection *found = NULL;
    rg_provenance read = { .file = "kept" };
    int n = 0;
    CHECK_OK(rg_region_parse(text, &found, &n, &read));
    CHECK(n == 3);
    for (int i = 0; i < n; i++) {
        CHECK_NEAR(found[i].ra, three[i].ra, 1e-8);
        CHECK_NEAR(found[i].dec, three[i].dec, 1e-8);
        CHECK_NEAR(found[i].width, three[i].width, 1e-3);
        CHECK_NEAR(found[i].height, three[i].height, 1e-3);
        CHECK_NEAR(found[i].angle, three[i].angle, 1e-4);
        CHECK_NEAR(found[i].probability, three[i].probability, 1e-4);
        CHECK_NEAR(found[i].second_probability, three[i].second_probability, 1e-4);
        CHECK(found[i].class_ == three[i].class_ && found[i].second == three[i].second);
    }
    CHECK(read.checksum == from.checksum && !strcmp(read.model, from.model));
    CHECK(!strcmp(read.method, "D1") && !strcmp(read.version, "0.1.0"));
    CHECK(!strcmp(read.file, "kept"));
    free(found);
    free(text);
}

/* What DS9 8.4.1 answers: a box of ours that was dragged, a user's box and circle. */
static const char answer[] =
    "# Region file format: DS9 version 4.1\n"
    "global color=green dashlist=8 3 width=1 select=1\n"
    "icrs\n"
    "box(116.3950000,33.9650000,20.000\",30.000\",10) # color=magenta width=2 "
    "text={1C_2P 0.93} tag={claran} tag={claran D1 model 0a1b2c3d image 12345678 "
    "version 0.1.0} claran_class=2C_3P claran_p=0.9312 claran_2=1C_2P "
    "claran_2p=0.0512\n"
    "box(116.3950000,33.9650000,20.000\",20.000\",0) # text={mine} tag={claran}\n"
    "circle(116.3950000,33.9650000,5.000\") # text={user}";

static void region_reads_ds9(void)
{
    rg_detection *found = NULL;
    rg_provenance read = { .file = "" };
    int n = 0;
    CHECK_OK(rg_region_parse(answer, &found, &n, &read));
    CHECK(n == 1 && found[0].class_ == 5 && found[0].second == 2);
    CHECK_NEAR(n == 1 ? found[0].height : 0, 30, 1e-9);
    CHECK(read.checksum == 0x12345678);
    free(found);
    found = NULL;
    CHECK_OK(rg_region_parse("", &found, &n, &read));
    CHECK(n == 0);
    free(found);
}

static void region_refuses_damage(void)
{
    static const char *const bad[] = {
        "box(1,2,3\",4\") # claran_class=1C_1P claran_p=0.9",
        "box(1,2,3,4,0) # claran_class=1C_1P claran_p=0.9",
        "box(nan,2,3\",4\",0) # claran_class=1C_1P claran_p=0.9",
        "box(1,2,-3\",4\",0) # claran_class=1C_1P claran_p=0.9",
        "box(1,2,3\",4\",0) # claran_class=7C_1P claran_p=0.9",
        "box(1,2,3\",4\",0) # claran_class=background claran_p=0.9",
        "box(1,2,3\",4\",0) # claran_class=1C_1P",
        "box(1,2,3\",4\",0) # claran_class=1C_1P claran_p=1.9",
        "box(1,2,3\",4\",0) # claran_class=1C_1P claran_p=nan",
        "box(1,2,3\",4\",0) # claran_class=1C_1P claran_p=0.9 claran_2=1C_2P",
        "circle(1,2,3\") # claran_class=1C_1P claran_p=0.9",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        rg_detection *found = NULL;
        rg_provenance read = { .file = "" };
        int n = 0;
        CHECK_FAILS(rg_region_parse(bad[i], &found, &n, &read), "not a labelled box");
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
    CHECK_RUN(region_reads_ds9);
    CHECK_RUN(region_refuses_damage);
    CHECK_RUN(region_is_placed);
    return CHECK_END();
}
