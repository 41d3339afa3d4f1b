/* SPDX-License-Identifier: MIT */
#include <sys/stat.h>
#include <unistd.h>

#include "core/data/csv.h"
#include "core/data/dataset.h"
#include "tests/check.h"

#define HEAD "file,class,xmin,ymin,xmax,ymax\n"

static char folder[] = "/tmp/test_dataset.XXXXXX";
static char list[64];

static void put(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    CHECK(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
}

static int read_list(const char *text, rg_dataset **set)
{
    put("list.csv", text);
    return rg_dataset_read(set, list);
}

static void reads_a_list(void)
{
    rg_dataset *set;
    CHECK_OK(read_list("other,class,file,ymax,ymin,xmax,xmin\r\n"
                       "1,2C_3P,a.fits,40.5,30.5,20.5,10.5\r\n\n"
                       "2,,b.fits,,,,\n"
                       "2,,b.fits,9,8,7,6\n"
                       "3,?,a.fits,4,3,2,1\n"
                       "4,1C_1P,sub.fits,9,8,7,6", &set));
    if (set == NULL) return;
    CHECK(set->nfields == 3);
    CHECK(strcmp(set->fields[0].file, "a.fits") == 0 && set->fields[0].nlabels == 2);
    const rg_label *label = set->fields[0].labels;
    CHECK(label[0].class_ == 5 && label[0].xmin == 10.5 && label[0].ymin == 30.5 &&
          label[0].xmax == 20.5 && label[0].ymax == 40.5);
    CHECK(label[1].class_ == RG_CLASS_IGNORE);
    CHECK(set->fields[1].nlabels == 0);
    CHECK(strstr(set->fields[0].path, "/a.fits") != NULL);
    CHECK(strstr(set->fields[0].path, "list/") == NULL);
    CHECK(strstr(set->fields[2].path, "/list/sub.fits") != NULL);
    CHECK(set->count[5] == 1 && set->count[1] == 1 && set->count[0] == 0);
    rg_dataset_free(set);
}

static void finds_absolute_names(void)
{
    char text[256];
    rg_dataset *set;
    snprintf(text, sizeof text, HEAD "%s/a.fits,,,,,\n", folder);
    CHECK_OK(read_list(text, &set));
    rg_dataset_free(set);
}

static void refuses_bad_lists(void)
{
    rg_dataset *set;
    CHECK_FAILS(rg_dataset_read(&set, "/nowhere/list.csv"), "/nowhere/list.csv");
    CHECK_FAILS(rg_dataset_read(&set, folder), folder);
    CHECK_FAILS(read_list("", &set), "empty");
    CHECK_FAILS(read_list(HEAD, &set), "no fields");
    CHECK_FAILS(read_list("file,class,xmin,ymin,xmax\n", &set), "\"ymax\"");
    CHECK_FAILS(read_list(HEAD "a.fits,1C_1P,1,2,3\n", &set),
                "line 2: ends before its ymax");
    CHECK_FAILS(read_list(HEAD "a.fits,1C_1P,1,2,3,x4\n", &set),
                "line 2: ymax is \"x4\"");
    CHECK_FAILS(read_list(HEAD "a.fits,1C_1P,1,2,3,nan\n", &set), "ymax is \"nan\"");
    CHECK_FAILS(read_list(HEAD "a.fits,1C_1P,3,2,3,4\n", &set), "is empty");
    CHECK_FAILS(read_list(HEAD "a.fits,9C_1P,1,2,3,4\n", &set), "9C_1P");
    CHECK_FAILS(read_list(HEAD "a.fits,background,1,2,3,4\n", &set), "background");
    CHECK_FAILS(read_list(HEAD "a.fits,,,,,\n\nc.fits,1C_1P,1,2,3,4\n", &set),
                "line 4: ");
    CHECK_FAILS(read_list(HEAD ",1C_1P,1,2,3,4\n", &set), "no file");
    CHECK(set == NULL);
    rg_dataset_free(NULL);
}

static void reads_the_real_list(void)
{
    static const int wanted[RG_CLASSES] = { 0, 33, 26, 72, 7, 46, 23 };
    char path[4200];
    rg_dataset *set;
    const char *shared = check_shared();
    if (shared == NULL) CHECK_SKIP("no ../shared");
    snprintf(path, sizeof path, "%s/data/first/rgz_train.csv", shared);
    CHECK_OK(rg_dataset_read(&set, path));
    if (set == NULL) return;
    CHECK(set->nfields == 180);
    for (int c = 1; c < RG_CLASSES; c++) CHECK(set->count[c] == wanted[c]);
    rg_dataset_free(set);
}

/* An optional column; empty is sure. */
static void labels_can_be_doubted(void)
{
    rg_dataset *set;
    CHECK_OK(read_list("file,class,xmin,ymin,xmax,ymax,confidence\n"
                       "a.fits,1C_1P,1,1,2,2,0.9\na.fits,1C_1P,3,3,4,4,0.4\n"
                       "a.fits,2C_2P,5,5,6,6,\na.fits,?,7,7,8,8,0\n", &set));
    if (set == NULL) return;
    const rg_label *l = set->fields[0].labels;
    CHECK(l[1].confidence == 0.4 && l[2].confidence == 1);
    CHECK(rg_dataset_doubt(set, 0) == 0 && set->count[1] == 2);
    CHECK(rg_dataset_doubt(set, 0.5) == 1 && set->count[1] == 1 && set->count[4] == 1);
    CHECK(l[0].class_ == 1 && l[1].class_ == RG_CLASS_IGNORE && l[2].class_ == 4);
    rg_dataset_free(set);
    CHECK_FAILS(read_list("file,class,xmin,ymin,xmax,ymax,confidence\n"
                          "a.fits,1C_1P,1,1,2,2,1.5\n", &set), "confidence of 1.5");
    CHECK_OK(read_list(HEAD "a.fits,1C_1P,1,1,2,2\n", &set));
    CHECK(set != NULL && set->fields[0].labels[0].confidence == 1);
    rg_dataset_free(set);
}

int main(void)
{
    char path[128];
    if (mkdtemp(folder) == NULL) return EXIT_FAILURE;
    snprintf(list, sizeof list, "%s/list.csv", folder);
    snprintf(path, sizeof path, "%s/list", folder);
    mkdir(path, 0700);
    put("a.fits", "");
    put("b.fits", "");
    put("list/sub.fits", "");
    CHECK_RUN(reads_a_list);
    CHECK_RUN(finds_absolute_names);
    CHECK_RUN(refuses_bad_lists);
    CHECK_RUN(reads_the_real_list);
    CHECK_RUN(labels_can_be_doubted);
    static const char *const made[] = { "a.fits", "b.fits", "list/sub.fits", "list.csv",
                                        "list", "" };
    for (int i = 0; i < 6; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, made[i]);
        remove(path);
    }
    return CHECK_END();
}
