/* SPDX-License-Identifier: MIT */
/* Requests to a resident claran: their words, where they want to be, and the options of
 * their command, which only prints what it was given here. */
#include "plugin/serve.c"

#include "tests/fuzz/fuzz.h"

/* libFuzzer's files are named from where it began. */
int chdir(const char *path)
{
    errno = ENOENT;
    return *path == '/' ? 0 : -1;
}

static int command(int argc, char **argv)
{
    bool flag = false;
    int whole = 1;
    double real = 0.5;
    const char *text = NULL;
    rg_texts texts = { .n = 0 };
    char record[200];
    const rg_option options[] = {
        { "all", 'a', RG_OPTION_FLAG, &flag, 0, 0, NULL, "everything" },
        { "batch", 'b', RG_OPTION_INT, &whole, 1, 256, "N", "images a step:" },
        { "threshold", 't', RG_OPTION_DOUBLE, &real, 0, 1, "P", "keep P and over:" },
        { "model", 'm', RG_OPTION_TEXT, &text, 0, 0, "FILE", "the model" },
        { "output", 'o', RG_OPTION_OUTPUTS, &texts, 0, 0, "FILE", "written" },
        { .name = NULL }
    };
    const rg_usage usage = { "detect", "RADIO.fits...", "Find.", options };
    FUZZ_HOLDS(argc > 0 && argc <= WORDS && argv[argc] == NULL);
    int status = rg_options_parse(&usage, &argc, argv);
    if (status != RG_GO_ON) return status;
    rg_options_record(options, record, sizeof record);
    puts(record);
    for (int i = 0; i < argc; i++) puts(argv[i]);
    return argc > 0 ? RG_EXIT_OK : rg_options_misuse("name an image");
}

int rg_detect_main(int argc, char **argv)
{
    return command(argc, argv);
}

int rg_ds9_main(int argc, char **argv)
{
    return command(argc, argv);
}

/* Words that are put together come apart as they were. */
static void rejoin(const char *request)
{
    char copy[4096], again[REQUEST] = "", *words[WORDS], *back[WORDS];
    if (strlen(request) >= sizeof copy) return;
    strcpy(copy, request);
    int n = split(copy, words);
    if (n < 0 || !join(again, sizeof again, n, words)) return;
    FUZZ_HOLDS(split(again, back) == n);
    for (int i = 0; i < n; i++) FUZZ_HOLDS(strcmp(words[i], back[i]) == 0);
}

/* A first 'p' says who asks: a plugin of this program. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    server s = { .model = NULL };
    char *text = fuzz_text(data, size), *request = text, own[IDENTITY], *said;
    identify(own);
    if (*text == 'p')
        FUZZ_HOLDS(asprintf(&request, "PROGRAM=%s %s", own, text + 1) > 0);
    rejoin(request);
    if (answer(&s, request, &said, &size) == 0) {
        FUZZ_HOLDS(strlen(said) <= size);
        free(said);
    }
    if (request != text) free(request);
    free(text);
    return 0;
}
