/* Rewriting a rule's tree from its leaves up, with the way down on a stack of its own: what does
 * not change is shared with the tree it came from. */
#include "base/banned.h"
#include "base/err.h"
#include "detect/sigma/pipeline_part.h"

#include <string.h>

#define TREE_DEPTH_MAX 256

struct tree_frame {
    struct sigma_node *node;
    struct sigma_node **children; /* as rewritten */
    size_t next;
    size_t kept;
    bool is_changed;
};

struct tree_walk {
    struct tree_frame frames[TREE_DEPTH_MAX];
    size_t depth;
    size_t visited;
    struct arena *arena;
};

struct sigma_node *pipeline_node(struct arena *arena, enum sigma_node_kind kind,
                                 struct sigma_node *const *children, size_t count)
{
    struct sigma_node *node = arena_alloc(arena, 1, sizeof(*node));
    struct sigma_node **copies = arena_alloc(arena, count + 1, sizeof(struct sigma_node *));

    if (node == NULL || copies == NULL) {
        return NULL;
    }
    if (count > 0) {
        memcpy(copies, children, count * sizeof(*copies));
    }
    *node = (struct sigma_node){.kind = kind, .children = copies, .child_count = count};
    return node;
}

struct sigma_node *pipeline_leaf(struct arena *arena, const struct sigma_atom *atom)
{
    struct sigma_node *node = arena_alloc(arena, 1, sizeof(*node));
    struct sigma_atom *copy = arena_alloc(arena, 1, sizeof(*copy));

    if (node == NULL || copy == NULL) {
        return NULL;
    }
    *copy = *atom;
    *node = (struct sigma_node){.kind = SIGMA_NODE_ATOM, .atom = copy};
    return node;
}

static int tree_push(struct tree_walk *walk, struct sigma_node *node)
{
    struct tree_frame *frame = &walk->frames[walk->depth];

    if (walk->depth == TREE_DEPTH_MAX || ++walk->visited > PIPELINE_NODES_MAX) {
        return -ERR_LIMIT;
    }
    *frame = (struct tree_frame){.node = node};
    walk->depth++;
    return 0;
}

/* What the children's rewriting makes of their node. */
static int tree_build(struct arena *arena, const struct tree_frame *frame,
                      struct sigma_node **ret_node)
{
    struct sigma_node *node = frame->node;

    if (!frame->is_changed) {
        *ret_node = node;
        return 0;
    }
    if (frame->kept == 0) {
        *ret_node = NULL;
        return 0;
    }
    node = pipeline_node(arena, frame->node->kind, frame->children, frame->kept);
    if (node == NULL) {
        return -ERR_NOMEM;
    }
    node->name = frame->node->name;
    *ret_node = node;
    return 0;
}

/* From the first child that changes on, a node has children of its own. */
static int tree_diverge(struct arena *arena, struct tree_frame *frame)
{
    frame->children = arena_alloc(arena, frame->node->child_count, sizeof(struct sigma_node *));
    if (frame->children == NULL) {
        return -ERR_NOMEM;
    }
    frame->kept = frame->next - 1;
    memcpy(frame->children, frame->node->children, frame->kept * sizeof(struct sigma_node *));
    frame->is_changed = true;
    return 0;
}

/* The frame's node is done: its parent, if any, takes what became of it. */
static int tree_pop(struct tree_walk *walk, struct sigma_node *result)
{
    const struct tree_frame *done = &walk->frames[--walk->depth];
    struct tree_frame *parent = walk->depth > 0 ? &walk->frames[walk->depth - 1] : NULL;

    if (parent == NULL) {
        return 0;
    }
    if (result != done->node && !parent->is_changed) {
        int r = tree_diverge(walk->arena, parent);

        if (r < 0) {
            return r;
        }
    }
    if (parent->is_changed && result != NULL) {
        parent->children[parent->kept++] = result;
    }
    return 0;
}

int pipeline_rewrite(struct sigma_node *root, struct arena *arena, pipeline_atom_fn *fn,
                     void *context, struct sigma_node **ret_root)
{
    struct tree_walk walk = {.arena = arena};
    struct sigma_node *result = root;
    int r = tree_push(&walk, root);

    while (r == 0 && walk.depth > 0) {
        struct tree_frame *frame = &walk.frames[walk.depth - 1];

        if (frame->next < frame->node->child_count) {
            r = tree_push(&walk, frame->node->children[frame->next++]);
            continue;
        }
        r = frame->node->kind == SIGMA_NODE_ATOM ? fn(context, frame->node, &result)
                                                 : tree_build(arena, frame, &result);
        if (r == 0) {
            r = tree_pop(&walk, result);
        }
    }
    if (r == 0) {
        *ret_root = result;
    }
    return r;
}
