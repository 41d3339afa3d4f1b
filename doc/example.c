/* SPDX-License-Identifier: MIT */
/* cc example.c -o example $(pkg-config --cflags --libs claran); ./example field.fits */
#include <claran.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    claran_detector *detector = NULL;
    claran_image *image = NULL;
    claran_sources *found = NULL;
    if (argc != 2 || claran_open(&detector, NULL, 0)
        || claran_image_read(&image, argv[1])
        || claran_detect(detector, image, NULL, &found))
        return fprintf(stderr, "example FIELD.fits: %s\n", claran_error()), 1;
    for (int i = 0; i < claran_sources_count(found); i++) {
        const claran_source *s = claran_sources_at(found, i);
        printf("%10.5f %+9.5f %-5s %4.2f\n", s->ra, s->dec, s->label, s->probability);
    }
    claran_sources_free(found);
    claran_image_free(image);
    claran_close(detector);
    return 0;
}
