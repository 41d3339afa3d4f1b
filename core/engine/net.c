/* SPDX-License-Identifier: MIT */
#include "core/engine/net.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"
#include "core/engine/random.h"

/* The second and later readers of a tensor write their gradient to an alias of it. */
typedef struct alias { rg_tensor tensor; int of; bool planned; } alias;

typedef struct twin { rg_param param, *of; } twin;

struct rg_net {
    const rg_backend *backend;
    void *context;            /* the backend's */
    rg_net_options options;
    rg_row *rows;             /* owned, as all below; one node and one tensor a row */
    int nrows;
    rg_node *nodes;
    rg_tensor *tensors;
    bool *live, *planned;     /* leads to a loss; has its memory */
    rg_param *params;         /* what the optimizer moves */
    int nparams;
    rg_param *statistics;     /* what it does not: of BATCHNORM */
    int nstatistics;
    twin *twins;              /* for rows that use another's weights */
    int ntwins;
    alias *aliases;
    int naliases;
    long step;
};

static bool is_loss(rg_word word)
{
    return word == RG_SOFTMAXLOSS || word == RG_SMOOTHL1;
}

/* Gradients flow to the first input; of ST pooling to the RoIs, too, and of ADD and
 * CONCAT to all. */
static int differentiable(rg_word word)
{
    if (word == RG_STPOOL || word == RG_ADD || word == RG_CONCAT)
        return rg_layer_inputs(word);
    return word == RG_INPUT ? 0 : 1;
}

/* Rows from which a loss is reached. */
static void mark_live(rg_net *net)
{
    for (int i = net->nrows - 1; i >= 0; i--) {
        const rg_row *row = &net->rows[i];
        if (is_loss(row->word)) net->live[i] = net->options.training;
        for (int k = 0; net->live[i] && k < differentiable(row->word); k++)
            net->live[rg_layer_find(net->rows, i, row->in[k])] = true;
    }
}

static bool fits(const rg_net *net, const char *pattern, int row, const char *param)
{
    if (strncmp(pattern, "..", 2) == 0)
        return row <= rg_layer_find(net->rows, net->nrows, pattern + 2);
    return fnmatch(pattern, net->rows[row].name, 0) == 0
           || fnmatch(pattern, param, 0) == 0;
}

/* Of the weight of a row, or of its bias. */
static float factor_of(const rg_net *net, int row, bool bias)
{
    char param[80];
    float factor = 1;
    snprintf(param, sizeof param, "%s%s", net->rows[row].name, bias ? ".bias" : "");
    for (int i = 0; i < net->options.nfactors; i++)
        if (fits(net, net->options.factors[i].pattern, row, param))
            factor *= net->options.factors[i].by;
    return factor;
}

static bool has_weights(const rg_row *row)
{
    rg_shape weight, bias;
    rg_layer_weights(row, &weight, &bias);
    return weight.n > 0;
}

static bool is_frozen(const rg_net *net, int row)
{
    return !(factor_of(net, row, false) > 0) && !(factor_of(net, row, true) > 0);
}

/* By its own weights or those of another row. */
static bool is_trained(const rg_net *net, int row)
{
    const char *of = net->rows[row].weights;
    if (of) row = rg_layer_find(net->rows, row, of);
    return has_weights(&net->rows[row]) && !is_frozen(net, row);
}

static bool fits_any(const rg_net *net, const char *pattern)
{
    for (int i = 0; i < net->nrows; i++) {
        char bias[80];
        snprintf(bias, sizeof bias, "%s.bias", net->rows[i].name);
        if (has_weights(&net->rows[i]) && fits(net, pattern, i, bias)) return true;
    }
    return false;
}

static int check_factors(const rg_net *net)
{
    bool trained = net->options.nfactors == 0;
    for (int i = 0; i < net->options.nfactors; i++) {
        const rg_net_factor *f = &net->options.factors[i];
        if (!(f->by >= 0) || !(f->by <= 1e6f))
            return RG_FAIL("the learning rate of %s cannot be multiplied by %g",
                           f->pattern, f->by);
        if (!fits_any(net, f->pattern))
            return RG_FAIL("\"%s\" fits no row of the network with weights; claran "
                           "model prints them", f->pattern);
    }
    for (int i = 0; i < net->nrows; i++)
        trained |= is_trained(net, i);
    return trained ? 0 : RG_FAIL("every row is frozen: nothing is left to train");
}

/* Tensors on the way from weights (or wanted inputs) to a loss. */
static void mark_gradients(rg_net *net)
{
    for (int i = 0; i < net->nrows; i++) {
        const rg_row *row = &net->rows[i];
        bool wants = is_loss(row->word) || is_trained(net, i)
                     || (row->word == RG_INPUT && net->options.input_gradients);
        for (int k = 0; k < differentiable(row->word); k++)
            wants |= net->tensors[rg_layer_find(net->rows, i, row->in[k])].wants_grad;
        net->tensors[i].wants_grad = wants && net->live[i];
    }
}

static int connect_inputs(rg_net *net, int i, bool *read)
{
    rg_node *node = &net->nodes[i];
    for (int k = 0; k < rg_layer_inputs(node->row->word); k++) {
        int from = rg_layer_find(net->rows, i, node->row->in[k]);
        node->in[k] = &net->tensors[from];
        if (!net->live[i] || !node->in[k]->wants_grad
            || k >= differentiable(node->row->word))
            continue;
        if (read[from]) {
            alias *a = &net->aliases[net->naliases++];
            a->of = from;
            node->in[k] = &a->tensor;
        }
        read[from] = true;
    }
    return 0;
}

static int new_param(rg_net *net, rg_param **out, rg_param *param, const rg_row *row,
                     const char *tail, rg_shape shape, bool training)
{
    *param = (rg_param){ .shape = shape };
    int n = snprintf(param->name, sizeof param->name, "%s%s", row->name, tail);
    if (row->name[0] == '\0' || n >= (int)sizeof param->name)
        return RG_FAIL("row name \"%s\" is empty or longer than %d bytes", row->name,
                       (int)(sizeof param->name - 1 - strlen(tail)));
    RG_TRY(net->backend->param_new(net->context, param, training));
    *out = param;
    return 0;
}

static int new_twin(rg_net *net, rg_param **out, rg_param *of)
{
    twin *t = &net->twins[net->ntwins];
    *t = (twin){ .param = *of, .of = of };
    RG_TRY(net->backend->param_twin(net->context, &t->param, of,
                                    net->options.training));
    net->ntwins++;
    *out = &t->param;
    return 0;
}

/* The owner's own gradient must be there for the twin's to be added to. */
static int share_params(rg_net *net, int i)
{
    rg_node *node = &net->nodes[i];
    int owner = rg_layer_find(net->rows, i, node->row->weights);
    if (net->live[i] && !net->live[owner])
        return RG_FAIL("row %s uses the weights of %s, which no loss reaches",
                       node->row->name, node->row->weights);
    node->frozen = net->nodes[owner].frozen;
    RG_TRY(new_twin(net, &node->weight, net->nodes[owner].weight));
    return node->row->bare ? 0 : new_twin(net, &node->bias, net->nodes[owner].bias);
}

static int connect_params(rg_net *net, int i)
{
    rg_node *node = &net->nodes[i];
    const rg_row *row = node->row;
    const bool training = net->options.training;
    rg_shape weight, bias;
    if (row->weights) return share_params(net, i);
    rg_layer_weights(row, &weight, &bias);
    if (weight.n == 0) return 0;
    RG_TRY(new_param(net, &node->weight, &net->params[net->nparams++], row, "", weight,
                     training));
    node->weight->factor = factor_of(net, i, false);
    node->frozen = is_frozen(net, i);
    if (bias.n) {
        RG_TRY(new_param(net, &node->bias, &net->params[net->nparams++], row, ".bias",
                         bias, training));
        node->bias->factor = factor_of(net, i, true);
    }
    if (row->word != RG_BATCHNORM) return 0;
    RG_TRY(new_param(net, &node->mean, &net->statistics[net->nstatistics++], row,
                     ".mean", bias, false));
    return new_param(net, &node->variance, &net->statistics[net->nstatistics++], row,
                     ".variance", bias, false);
}

static int connect(rg_net *net)
{
    bool *read = rg_error_alloc(net->nrows, sizeof *read, "the network");
    if (read == NULL) return -1;
    int status = 0;
    for (int i = 0; i < net->nrows && status == 0; i++) {
        net->nodes[i] = (rg_node){ .row = &net->rows[i], .out = &net->tensors[i],
                                   .training = net->options.training };
        status = connect_inputs(net, i, read);
        if (status == 0) status = connect_params(net, i);
    }
    free(read);
    return status;
}

static alias *alias_of(rg_net *net, const rg_tensor *tensor)
{
    for (int i = 0; i < net->naliases; i++)
        if (tensor == &net->aliases[i].tensor) return &net->aliases[i];
    return NULL;
}

static int plan(rg_net *net)
{
    for (int i = 0; i < net->nrows; i++) {
        rg_node *node = &net->nodes[i];
        for (int k = 0; k < rg_layer_inputs(node->row->word); k++) {
            alias *a = alias_of(net, node->in[k]);
            if (a == NULL || a->planned) continue;
            RG_TRY(net->backend->alias(net->context, &a->tensor, &net->tensors[a->of]));
            a->planned = true;
        }
        net->planned[i] = true;
        if (net->backend->operation[node->row->word].plan(net->context, node) != 0)
            return rg_error_prefix("row %s: ", node->row->name);
    }
    return 0;
}

static int fill_param(rg_net *net, rg_param *param, float value)
{
    long n = rg_layer_count(param->shape);
    float *host = rg_error_alloc(n, sizeof *host, param->name);
    if (host == NULL) return -1;
    for (long k = 0; k < n; k++) host[k] = value;
    int status = net->backend->param_put(net->context, param, RG_VALUE, host);
    free(host);
    return status;
}

/* Normal, cut at two standard deviations; biases stay 0.  BATCHNORM: the identity. */
static int start_weights(rg_net *net)
{
    for (int i = 0; i < net->nrows; i++) {
        rg_param *param = net->nodes[i].weight;
        if (param == NULL || net->rows[i].weights) continue;
        if (net->rows[i].word == RG_BATCHNORM) {
            RG_TRY(fill_param(net, param, 1));
            RG_TRY(fill_param(net, net->nodes[i].variance, 1));
            continue;
        }
        rg_shape s = param->shape;
        double std = net->rows[i].spread > 0 ? net->rows[i].spread
                                             : sqrt(2.0 / ((double)s.c * s.h * s.w));
        uint64_t state = rg_random_mix(net->options.seed, (uint64_t)i);
        long n = rg_layer_count(s);
        float *host = rg_error_alloc(n, sizeof *host, param->name);
        if (host == NULL) return -1;
        for (long k = 0; k < n; k++) {
            double z = rg_random_normal(&state);
            while (fabs(z) > 2) z = rg_random_normal(&state);
            host[k] = (float)(z * std);
        }
        int status = net->backend->param_put(net->context, param, RG_VALUE, host);
        free(host);
        RG_TRY(status);
    }
    return 0;
}

static int allocate(rg_net *net, const rg_row *rows, int nrows)
{
    net->rows = rg_error_alloc(nrows, sizeof *net->rows, "the network");
    net->nodes = rg_error_alloc(nrows, sizeof *net->nodes, "the network");
    net->tensors = rg_error_alloc(nrows, sizeof *net->tensors, "the network");
    net->live = rg_error_alloc(nrows, sizeof *net->live, "the network");
    net->planned = rg_error_alloc(nrows, sizeof *net->planned, "the network");
    net->params = rg_error_alloc(2ul * nrows, sizeof *net->params, "the network");
    net->statistics =
        rg_error_alloc(2ul * nrows, sizeof *net->statistics, "the network");
    net->twins = rg_error_alloc(2ul * nrows, sizeof *net->twins, "the network");
    net->aliases = rg_error_alloc(3ul * nrows, sizeof *net->aliases, "the network");
    if (!net->rows || !net->nodes || !net->tensors || !net->live || !net->planned
        || !net->params || !net->statistics || !net->twins || !net->aliases) return -1;
    memcpy(net->rows, rows, nrows * sizeof *rows);
    net->nrows = nrows;
    for (int i = 0; i < nrows; i++) {
        if (rg_layer_find(rows, i, rows[i].name) >= 0)
            return RG_FAIL("two rows of the network are called %s", rows[i].name);
        net->tensors[i].name = rows[i].name;
        RG_TRY(rg_layer_shape(rows, nrows, i, &net->tensors[i].shape));
    }
    return 0;
}

static int build(rg_net *net, const rg_row *rows, int nrows)
{
    RG_TRY(allocate(net, rows, nrows));
    RG_TRY(net->backend->open(&net->context, net->options.precision,
                              net->options.training));
    RG_TRY(check_factors(net));
    mark_live(net);
    mark_gradients(net);
    RG_TRY(connect(net));
    if (!net->options.blank) RG_TRY(start_weights(net));
    return plan(net);
}

int rg_net_new(rg_net **out, const rg_row *rows, int nrows, const rg_backend *backend,
               const rg_net_options *options)
{
    rg_net *net = rg_error_alloc(1, sizeof *net, "the network");
    if (net == NULL) return -1;
    net->backend = backend;
    net->options = *options;
    if (build(net, rows, nrows) != 0) {
        rg_net_free(net);
        return -1;
    }
    *out = net;
    return 0;
}

void rg_net_free(rg_net *net)
{
    if (net == NULL) return;
    for (int i = net->nrows - 1; i >= 0; i--)
        if (net->planned && net->planned[i])
            net->backend->operation[net->rows[i].word].unplan(net->context,
                                                              &net->nodes[i]);
    for (int i = 0; i < net->naliases; i++)
        if (net->aliases[i].planned)
            net->backend->free_alias(net->context, &net->aliases[i].tensor);
    for (int i = 0; i < net->ntwins; i++)
        net->backend->param_free(net->context, &net->twins[i].param);
    for (int i = 0; i < net->nparams; i++)
        net->backend->param_free(net->context, &net->params[i]);
    for (int i = 0; i < net->nstatistics; i++)
        net->backend->param_free(net->context, &net->statistics[i]);
    if (net->context) net->backend->close(net->context);
    free(net->rows);
    free(net->nodes);
    free(net->tensors);
    free(net->live);
    free(net->planned);
    free(net->params);
    free(net->statistics);
    free(net->twins);
    free(net->aliases);
    free(net);
}

/* Moments are kept beside the value as "NAME.moment1", "NAME.moment2". */
static void part_name(const rg_param *param, rg_part part, char name[80])
{
    static const char *const tail[] = { "", ".gradient", ".moment1", ".moment2" };
    snprintf(name, 80, "%s%s", param->name, tail[part]);
}

static int load_part(rg_net *net, rg_param *param, rg_part part,
                     const rg_weights *weights)
{
    char name[80];
    part_name(param, part, name);
    const rg_weight *w = rg_weights_find(weights, name);
    if (w == NULL && part != RG_VALUE) return 0;
    if (w == NULL) return RG_FAIL("the model has no weights called %s", name);
    rg_shape a = w->shape, b = param->shape;
    if (a.n != b.n || a.c != b.c || a.h != b.h || a.w != b.w)
        return RG_FAIL("weights %s are [%d, %d, %d, %d], the network wants "
                       "[%d, %d, %d, %d]",
                       name, a.n, a.c, a.h, a.w, b.n, b.c, b.h, b.w);
    return net->backend->param_put(net->context, param, part, w->data);
}

int rg_net_load(rg_net *net, const rg_weights *weights)
{
    for (int i = 0; i < net->nparams; i++) {
        RG_TRY(load_part(net, &net->params[i], RG_VALUE, weights));
        if (!net->options.training) continue;
        RG_TRY(load_part(net, &net->params[i], RG_MOMENT1, weights));
        RG_TRY(load_part(net, &net->params[i], RG_MOMENT2, weights));
    }
    for (int i = 0; i < net->nstatistics; i++)
        RG_TRY(load_part(net, &net->statistics[i], RG_VALUE, weights));
    return 0;
}

static int save_part(const rg_net *net, const rg_param *param, rg_part part,
                     rg_weights *weights)
{
    char name[80];
    part_name(param, part, name);
    rg_weight *w = rg_weights_add(weights, name, param->shape, NULL);
    return w ? net->backend->param_get(net->context, param, part, w->data) : -1;
}

int rg_net_save(const rg_net *net, rg_weights *weights, bool moments)
{
    for (int i = 0; i < net->nparams; i++) {
        RG_TRY(save_part(net, &net->params[i], RG_VALUE, weights));
        if (!moments) continue;
        RG_TRY(save_part(net, &net->params[i], RG_MOMENT1, weights));
        RG_TRY(save_part(net, &net->params[i], RG_MOMENT2, weights));
    }
    for (int i = 0; i < net->nstatistics; i++)
        RG_TRY(save_part(net, &net->statistics[i], RG_VALUE, weights));
    return 0;
}

int rg_net_put(rg_net *net, const char *name, const float *host)
{
    int i = rg_layer_find(net->rows, net->nrows, name);
    return i < 0 ? -1 : net->backend->put(net->context, &net->tensors[i], host);
}

bool rg_net_shows(const rg_net *net)
{
    return net->backend->show != NULL;
}

int rg_net_show(rg_net *net, const char *name, const uint8_t *rgb, int side,
                const float mean[3])
{
    const int i = rg_layer_find(net->rows, net->nrows, name);
    if (i < 0) return -1;
    if (net->tensors[i].shape.c != 3 || side < 2)
        return RG_FAIL("row %s takes no pictures", name);
    return net->backend->show(net->context, &net->tensors[i], rgb, side, mean);
}

int rg_net_get(const rg_net *net, const char *name, float *host)
{
    int i = rg_layer_find(net->rows, net->nrows, name);
    return i < 0 ? -1 : net->backend->get(net->context, &net->tensors[i], false, host);
}

int rg_net_get_gradient(const rg_net *net, const char *name, float *host)
{
    int i = rg_layer_find(net->rows, net->nrows, name);
    if (i < 0) return -1;
    if (net->tensors[i].grad == NULL) return RG_FAIL("row %s has no gradient", name);
    return net->backend->get(net->context, &net->tensors[i], true, host);
}

int rg_net_shape(const rg_net *net, const char *name, rg_shape *shape)
{
    int i = rg_layer_find(net->rows, net->nrows, name);
    if (i < 0) return -1;
    *shape = net->tensors[i].shape;
    return 0;
}

static rg_param *find_param(const rg_net *net, const char *name)
{
    for (int i = 0; i < net->nparams; i++)
        if (strcmp(net->params[i].name, name) == 0) return &net->params[i];
    for (int i = 0; i < net->nstatistics; i++)
        if (strcmp(net->statistics[i].name, name) == 0) return &net->statistics[i];
    RG_FAIL("the network has no weights called %s", name);
    return NULL;
}

int rg_net_put_param(rg_net *net, const char *name, const float *host)
{
    rg_param *param = find_param(net, name);
    return param ? net->backend->param_put(net->context, param, RG_VALUE, host) : -1;
}

int rg_net_get_param(const rg_net *net, const char *name, rg_part part, float *host)
{
    const rg_param *param = find_param(net, name);
    return param ? net->backend->param_get(net->context, param, part, host) : -1;
}

static void set_seeds(rg_net *net, int from, int to)
{
    const uint64_t pass = rg_random_mix(net->options.seed, (uint64_t)net->step);
    for (int i = from; i <= to; i++)
        net->nodes[i].seed = rg_random_mix(pass, (uint64_t)i);
}

static int run_rows(rg_net *net, int from, int to)
{
    for (int i = from; i <= to; i++) {
        rg_node *node = &net->nodes[i];
        if (net->backend->operation[node->row->word].forward(net->context, node) != 0)
            return rg_error_prefix("row %s: ", node->row->name);
    }
    return 0;
}

/* By the backend's recording where it has one. */
static int run(rg_net *net, int from, int to, int (*rows)(rg_net *net, int, int))
{
    const rg_backend *backend = net->backend;
    bool done = false, again = false;
    if (backend->replay) RG_TRY(backend->replay(net->context, from, to, &done));
    if (done) return 0;
    int status = rows(net, from, to);
    if (backend->recorded) status = backend->recorded(net->context, status, &again);
    return again ? rows(net, from, to) : status;
}

int rg_net_forward(rg_net *net, const char *first, const char *last)
{
    int from = first ? rg_layer_find(net->rows, net->nrows, first) : 0;
    int to = last ? rg_layer_find(net->rows, net->nrows, last) : net->nrows - 1;
    if (from < 0 || to < 0) return -1;
    set_seeds(net, from, to);
    return run(net, from, to, run_rows);
}

bool rg_net_proposes(const rg_net *net)
{
    return net->backend->propose != NULL;
}

int rg_net_propose(rg_net *net, const rg_proposing *how, const char *source,
                   const char *deltas, const char *rois)
{
    const rg_anchor *last = &how->anchor[how->anchors - 1];
    const int s = rg_layer_find(net->rows, net->nrows, source);
    const int d = rg_layer_find(net->rows, net->nrows, deltas);
    const int r = rg_layer_find(net->rows, net->nrows, rois);
    if (s < 0 || d < 0 || r < 0) return -1;
    const long each = last->first + (long)last->cells * last->cells;
    const rg_tensor *t = net->tensors;
    const int images = t[s].shape.n;
    if (rg_layer_count(t[s].shape) != 2 * each * images
        || rg_layer_count(t[d].shape) != 4 * each * images
        || t[r].shape.n != how->after * images || t[r].shape.c < 5 || t[r].shape.c > 6)
        return RG_FAIL("%ld anchors and %d RoIs an image do not suit the rows %s, %s, "
                       "%s", each, how->after, source, deltas, rois);
    return net->backend->propose(net->context, how, &t[s], &t[d], &net->tensors[r]);
}

static int run_back(rg_net *net, int from, int to)
{
    for (int i = from; i >= to; i--) {
        rg_node *node = &net->nodes[i];
        if (!net->live[i] || !node->out->wants_grad) continue;
        if (is_loss(node->row->word))
            RG_TRY(net->backend->fill_grad(net->context, node->out, 1));
        for (int k = 0; k < net->naliases; k++)
            if (net->aliases[k].of == i)
                RG_TRY(net->backend->add_grad(net->context, node->out,
                                              &net->aliases[k].tensor));
        if (net->backend->operation[node->row->word].backward(net->context, node) != 0)
            return rg_error_prefix("row %s, backwards: ", node->row->name);
    }
    for (int i = 0; net->options.training && i < net->ntwins; i++)
        RG_TRY(net->backend->param_add_grad(net->context, net->twins[i].of,
                                            &net->twins[i].param));
    return 0;
}

int rg_net_backward(rg_net *net)
{
    return run(net, net->nrows - 1, 0, run_back);
}

int rg_net_update(rg_net *net, const rg_optimizer *how, float *norm)
{
    float unasked;
    RG_TRY(net->backend->update(net->context, net->params, net->nparams, how,
                                net->step + 1, norm ? norm : &unasked));
    net->step++;
    return 0;
}

long rg_net_step(const rg_net *net)
{
    return net->step;
}

void rg_net_set_step(rg_net *net, long step)
{
    net->step = step;
}

rg_precision rg_net_precision(const rg_net *net)
{
    return net->backend->precision(net->context);
}
