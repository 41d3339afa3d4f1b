/* SPDX-License-Identifier: MIT */
#include "tests/check.h"

#include <unistd.h>

#include "core/learning/losses.h"

static char path[] = "/tmp/claran-test-losses.XXXXXX";
static const char *const names[] = { "rpn_cls", "rpn_box", "roi_cls", "roi_box" };

static void write_text(const char *mode, const char *text)
{
    FILE *file = fopen(path, mode);
    if (file == NULL) return;
    fputs(text, file);
    fclose(file);
}

static int add(long step, double first)
{
    const double loss[] = { first, 0.25, 0.5, 1 };
    return rg_losses_add(path, &(rg_losses_row){ step, 1e-3, 2, 30 }, loss, 4);
}

static void rows_come_back(void)
{
    rg_losses *losses;
    CHECK_OK(rg_losses_begin(path, names, 4, 0));
    for (int i = 1; i <= 5; i++) CHECK_OK(add(10 * i, i));
    CHECK_OK(rg_losses_read(&losses, path));
    if (check_failed_) return;
    CHECK(losses->nruns == 1 && losses->runs[0].n == 5);
    CHECK(strcmp(losses->runs[0].name, path + 5) == 0);
    CHECK_NEAR(losses->runs[0].step[4], 50, 0);
    CHECK_NEAR(losses->runs[0].curve[RG_LOSSES_RPN_CLS][4], 5, 0);
    CHECK_NEAR(losses->runs[0].curve[RG_LOSSES_ROI_BOX][2], 1, 0);
    CHECK_NEAR(losses->runs[0].curve[RG_LOSSES_TOTAL][2], 4.75, 1e-6);
    rg_losses_free(losses);
}

/* Rows after the step it goes on from, and half a row, are gone; a new run begins
 * anew. */
static void a_resumed_log_has_no_row_twice(void)
{
    rg_losses *losses;
    write_text("a", "25,1,2");
    CHECK_OK(rg_losses_begin(path, names, 4, 30));
    CHECK_OK(add(40, 9));
    CHECK_OK(rg_losses_read(&losses, path));
    if (check_failed_) return;
    const rg_losses_run *run = &losses->runs[0];
    CHECK(run->n == 4);
    for (int i = 0; i < run->n; i++) CHECK_NEAR(run->step[i], 10 * (i + 1), 0);
    CHECK_NEAR(run->curve[RG_LOSSES_RPN_CLS][3], 9, 0);
    rg_losses_free(losses);
    CHECK_OK(rg_losses_begin(path, names, 4, 0));
    CHECK_FAILS(rg_losses_read(&losses, path), "no rows");
}

static void other_losses_have_a_total(void)
{
    static const char *const other[] = { "reconstruction" };
    rg_losses *losses;
    CHECK_OK(rg_losses_begin(path, other, 1, 0));
    CHECK_OK(rg_losses_add(path, &(rg_losses_row){ 7, 1e-3, 2, 30 },
                           (double[]){ 0.125 }, 1));
    CHECK_OK(rg_losses_read(&losses, path));
    CHECK_NEAR(losses->runs[0].curve[RG_LOSSES_TOTAL][0], 0.125, 0);
    CHECK(isnan(losses->runs[0].curve[RG_LOSSES_RPN_BOX][0]));
    rg_losses_free(losses);
    CHECK_FAILS(rg_losses_begin(path, names, 4, 7), "no log of such a run");
}

static void a_table_of_runs_is_read(void)
{
    rg_losses *losses;
    write_text("w", "method,input_px,iteration_end,total,rpn_cls,rpn_box,roi_cls,"
                    "roi_box\nD1,132,2000,4,1,1,1,1\nD4,600,2000,3,1,1,1,0\n"
                    "D1,132,4000,2,1,1,0,0\n");
    CHECK_OK(rg_losses_read(&losses, path));
    if (check_failed_) return;
    CHECK(losses->nruns == 2 && losses->runs[0].n == 2 && losses->runs[1].n == 1);
    CHECK(strcmp(losses->runs[1].name, "D4 600 px") == 0);
    CHECK_NEAR(losses->runs[0].curve[RG_LOSSES_TOTAL][1], 2, 0);
    CHECK_NEAR(losses->runs[0].step[1], 4000, 0);
    rg_losses_free(losses);
}

static void the_papers_losses_are_read(void)
{
    char table[4200];
    rg_losses *losses;
    if (check_shared() == NULL) CHECK_SKIP("../shared is not there");
    snprintf(table, sizeof table, "%s/data/reference/claran_training_loss.csv",
             check_shared());
    CHECK_OK(rg_losses_read(&losses, table));
    if (check_failed_) return;
    CHECK(losses->nruns == 9);
    for (int i = 0; i < losses->nruns; i++) CHECK(losses->runs[i].n == 40);
    CHECK_NEAR(losses->runs[0].curve[RG_LOSSES_TOTAL][0], 0.3766, 1e-9);
    rg_losses_free(losses);
}

static void bad_logs_are_sentences(void)
{
    rg_losses *losses;
    CHECK_FAILS(rg_losses_read(&losses, "/nowhere/losses.csv"), "/nowhere/losses.csv");
    CHECK_FAILS(rg_losses_begin("/nowhere/l.csv", names, 4, 0), "/nowhere/l.csv");
    CHECK_FAILS(rg_losses_add("/nowhere/l.csv", &(rg_losses_row){ .step = 1 }, NULL, 0),
                "/nowhere/l.csv");
    CHECK_FAILS(rg_losses_begin(path, names, 99, 0), "99 losses");
    write_text("w", "step,total\n1,2\n2,lots\n");
    CHECK_FAILS(rg_losses_read(&losses, path), "line 3: total is \"lots\"");
    write_text("w", "time,total\n1,2\n");
    CHECK_FAILS(rg_losses_read(&losses, path), "no column step");
}

int main(void)
{
    int file = mkstemp(path);
    if (file < 0) return EXIT_FAILURE;
    close(file);
    CHECK_RUN(rows_come_back);
    CHECK_RUN(a_resumed_log_has_no_row_twice);
    CHECK_RUN(other_losses_have_a_total);
    CHECK_RUN(a_table_of_runs_is_read);
    CHECK_RUN(the_papers_losses_are_read);
    CHECK_RUN(bad_logs_are_sentences);
    unlink(path);
    return CHECK_END();
}
