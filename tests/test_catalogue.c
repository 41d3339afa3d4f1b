/* SPDX-License-Identifier: MIT */
#include "tests/check.h"

#include "regions/catalogue.h"

static const rg_detection pair[] = {
    { .ra = 150.1, .dec = -0.25, .width = 20.5, .height = 21, .angle = 350.25,
      .xmin = 10.5, .ymin = 11.25, .xmax = 22, .ymax = 23.125, .class_ = 5,
      .probability = 0.9312f, .second = 4, .second_probability = 0.05f },
    { .ra = 0.004, .dec = 33, .width = 9, .height = 9, .class_ = 1, .probability = 1 },
};

static char *print(const rg_provenance *from)
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    if (file == NULL) return NULL;
    rg_catalogue_header(file);
    rg_catalogue_print(file, pair, 2, from);
    fclose(file);
    return text;
}

static void catalogue_is_exact(void)
{
    const rg_provenance from = { "a.fits", 0x1a2b, "0badcafe", "D1", "0.1.0" };
    char *text = print(&from);
    CHECK(text != NULL && strcmp(text,
        "name,ra_deg,dec_deg,xmin,ymin,xmax,ymax,class,probability,"
        "second_class,second_probability,width_arcsec,height_arcsec,angle_deg,"
        "file,checksum,model,method,version\n"
        "RGCL J100024.0-001500,150.1000000,-0.2500000,10.500,11.250,22.000,23.125,"
        "2C_3P,0.931200,2C_2P,0.050000,20.500,21.000,350.250,"
        "a.fits,00001a2b,0badcafe,D1,0.1.0\n"
        "RGCL J000000.9+330000,0.0040000,33.0000000,0.000,0.000,0.000,0.000,"
        "1C_1P,1.000000,,,9.000,9.000,0.000,a.fits,00001a2b,0badcafe,D1,0.1.0\n") == 0);
    free(text);
}

static void catalogue_quotes_what_it_must(void)
{
    const rg_provenance from = { "my \"best\", really\n.fits", 0, "", "D1", "" };
    char *text = print(&from);
    CHECK(text && strstr(text, ",\"my \"\"best\"\", really\n.fits\",00000000,,D1,\n"));
    free(text);
}

int main(void)
{
    CHECK_RUN(catalogue_is_exact);
    CHECK_RUN(catalogue_quotes_what_it_must);
    return CHECK_END();
}
