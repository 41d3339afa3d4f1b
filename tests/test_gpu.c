/* SPDX-License-Identifier: MIT */
/* The GPU module as it is built: that it is loaded, or refused in a sentence; that
 * without a card the processor is taken; and with one, every word on it.  Its gradients
 * are in test_gradients; test_card tests its arithmetic where there is no card. */
#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/engine/module.h"
#include "tests/whole.h"

#define BUILT "./" RG_MODULE_FILE    /* tests run in the build folder */

static void use(const char *path)
{
    setenv("CLARAN_GPU", path, 1);
}

static void what_is_no_module_is_refused(void)
{
    const rg_backend *backend;
    use("none");
    CHECK_FAILS(rg_backend_find("gpu", &backend), "no GPU is to be used");
    use("/nowhere/claran-gpu.so");
    CHECK_FAILS(rg_backend_find("gpu", &backend), "/nowhere/claran-gpu.so");
    use("/proc/version");
    CHECK_FAILS(rg_backend_find("gpu", &backend), "cannot be loaded");
    use("libc.so.6");                  /* not in this folder */
    CHECK_FAILS(rg_backend_find("gpu", &backend), "there is no GPU module libc.so.6");
    use("tests/faults.so");
    CHECK_FAILS(rg_backend_find("gpu", &backend), "is no GPU module of claran");
    use("tests");
    CHECK_FAILS(rg_backend_find("gpu", &backend), "there is no GPU module tests");
    CHECK_OK(rg_backend_find("auto", &backend));
    CHECK(strcmp(backend->name, "cpu") == 0);
    CHECK_FAILS(rg_backend_find("abacus", &backend), "auto, gpu, cpu or ref");
}

/* Waiting for its other end would be for ever. */
static void a_pipe_is_no_module(void)
{
    const rg_backend *backend;
    char pipe[] = "/tmp/claran-gpu-XXXXXX/so";
    char *const slash = strrchr(pipe, '/');
    *slash = '\0';
    CHECK(mkdtemp(pipe) != NULL);
    *slash = '/';
    CHECK(mkfifo(pipe, 0600) == 0);
    use(pipe);
    CHECK_FAILS(rg_backend_find("gpu", &backend), "there is no GPU module");
    CHECK(unlink(pipe) == 0);
    *slash = '\0';
    CHECK(rmdir(pipe) == 0);
}

/* A copy of the module of this build in which the version is another's. */
static void copy_as_of_another_build(const char *path)
{
    static char text[1 << 22];
    FILE *from = fopen("tests/claran-card.so", "rb"), *to = fopen(path, "wb");
    CHECK(from && to);
    if (from == NULL || to == NULL) return;
    const size_t n = fread(text, 1, sizeof text, from), length = sizeof RG_VERSION;
    int found = 0;
    for (size_t i = 0; i + length <= n; i++)
        if (memcmp(text + i, RG_VERSION, length) == 0) {
            text[i] = '9';
            found++;
        }
    CHECK(n < sizeof text && found > 0 && fwrite(text, 1, n, to) == n);
    fclose(from);
    CHECK(fclose(to) == 0);
}

static void a_module_of_another_build_is_refused(void)
{
    const rg_backend *backend;
    char path[] = "/tmp/claran-gpu-XXXXXX";
    const int file = mkstemp(path);
    CHECK(file >= 0 && close(file) == 0);
    copy_as_of_another_build(path);
    use(path);
    CHECK_FAILS(rg_backend_find("gpu", &backend), "belongs to another build, claran 9");
    CHECK(unlink(path) == 0);
}

static void a_module_is_found_beside_the_program(void)
{
    const rg_module *module;
    unsetenv("CLARAN_GPU");   /* beside this test there is none, and none installed */
    if (access("tests/" RG_MODULE_FILE, F_OK) == 0
        || access(RG_MODULE_DIR "/" RG_MODULE_FILE, F_OK) == 0)
        CHECK_SKIP("a GPU module is installed");
    CHECK_FAILS(rg_module_open(&module), "built without CUDA");
}

static void the_module_loads(void)
{
    const rg_module *module, *again;
    char text[RG_BACKEND_TEXT];
    use(BUILT);
    if (access(BUILT, F_OK) != 0) CHECK_SKIP("built without CUDA");
    CHECK_OK(rg_module_open(&module));
    if (check_failed_) return;
    CHECK_OK(rg_module_open(&again));
    CHECK(again == module);
    CHECK(strcmp(module->backend->name, "gpu") == 0);
    CHECK(module->backend->describe(0, text));
    CHECK(strstr(text, "cuDNN 9.") != NULL);
    for (int word = 0; word < RG_WORDS; word++) {
        const rg_operation *o = &module->backend->operation[word];
        CHECK(o->plan && o->forward && o->backward && o->unplan);
    }
}

static void without_a_card_it_says_why(void)
{
    const rg_backend *gpu, *any;
    use(BUILT);
    if (access(BUILT, F_OK) != 0) CHECK_SKIP("built without CUDA");
    CHECK_OK(rg_backend_find("auto", &any));
    if (rg_backend_find("gpu", &gpu) == 0) {
        CHECK(any == gpu);
        return;
    }
    CHECK(any == &rg_backend_cpu);
    CHECK(strstr(rg_error_message(), "use --backend cpu") != NULL);
    if (!rg_module_driver())
        CHECK(strstr(rg_error_message(), "no NVIDIA driver on this machine") != NULL);
}

/* cuDNN ends the program where its first part is missing, and says of others that it
 * has no engine: the module is not loaded without them, which is a sentence. */
static void all_of_cudnn_comes_with_the_module(void)
{
    static const char *const parts[] = {
        "libcudnn_graph.so.9", "libcudnn_heuristic.so.9",
        "libcudnn_engines_precompiled.so.9", "libcudnn_engines_runtime_compiled.so.9",
    };
    const rg_module *module;
    use(BUILT);
    if (access(BUILT, F_OK) != 0) CHECK_SKIP("built without CUDA");
    CHECK_OK(rg_module_open(&module));
    for (int i = 0; i < 4; i++)
        CHECK(dlopen(parts[i], RTLD_LAZY | RTLD_NOLOAD) != NULL);
}

/* What open says itself, should it be asked all the same. */
static void opening_it_without_a_card_fails(void)
{
    const rg_module *module;
    void *context = NULL;
    use(BUILT);
    if (access(BUILT, F_OK) != 0) CHECK_SKIP("built without CUDA");
    CHECK_OK(rg_module_open(&module));
    if (check_failed_ || module->usable() == 0) return;
    CHECK_FAILS(module->backend->open(&context, RG_PRECISION_AUTO, false), "GPU");
    CHECK(context == NULL);
}

/* ---- where there is a card ---- */

/* Simulated fields that detections are compared on; RG_FIELDS: fewer. */
static int fields(void)
{
    const char *given = getenv("RG_FIELDS");
    return given ? atoi(given) : 200;
}

static void ten_steps_as_the_plain_loops(void)
{
    steps_of(&by_sgd, 1e-4);
    steps_of(&by_adam, 1e-3);
}

static void f32_finds_what_the_processor_finds(void)
{
    finds_what_f32_finds(RG_PRECISION_F32, fields(), 0);
}

static void tf32_and_f16_find_it(void)
{
    finds_what_f32_finds(RG_PRECISION_TF32, fields(), 0);
    finds_what_f32_finds(RG_PRECISION_AUTO, fields(), 0);
}

static void bf16_finds_most_of_it(void)
{
    finds_what_f32_finds(RG_PRECISION_BF16, fields(), 0.05);
}

static void on_the_card(void)
{
    const rg_backend *gpu;
    use(BUILT);
    if (access(BUILT, F_OK) != 0) CHECK_SKIP("built without CUDA");
    if (rg_backend_find("gpu", &gpu) != 0) CHECK_SKIP(rg_error_message());
    words_run(gpu);
    words_of_a_card(gpu);
    CHECK_RUN(ten_steps_as_the_plain_loops);
    CHECK_RUN(proposals_are_the_hosts);
    CHECK_RUN(pictures_are_enlarged_as_by_the_host);
    CHECK_RUN(f32_finds_what_the_processor_finds);
    CHECK_RUN(tf32_and_f16_find_it);
    CHECK_RUN(bf16_finds_most_of_it);
}

int main(void)
{
    CHECK_RUN(what_is_no_module_is_refused);
    CHECK_RUN(a_pipe_is_no_module);
    CHECK_RUN(a_module_of_another_build_is_refused);
    CHECK_RUN(a_module_is_found_beside_the_program);
    CHECK_RUN(the_module_loads);
    CHECK_RUN(all_of_cudnn_comes_with_the_module);
    CHECK_RUN(without_a_card_it_says_why);
    CHECK_RUN(opening_it_without_a_card_fails);
    CHECK_RUN(on_the_card);
    return CHECK_END();
}
