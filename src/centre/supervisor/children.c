/* Which processes a centre has, what each runs and which descriptors it holds: a new one has its
 * rows here and in docs/privsep.md. Neighbours: supervisor.c starts them. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "centre/api.h"
#include "centre/browser.h"
#include "centre/core.h"
#include "centre/detector.h"
#include "centre/fetch.h"
#include "centre/front.h"
#include "centre/reader.h"
#include "centre/receiver.h"
#include "centre/render.h"
#include "centre/sifter.h"
#include "centre/supervisor/private.h"

#include <assert.h>
#include <string.h>

static const char *const supervisor_names[] = {
    [SUPERVISOR_CORE] = "core",         [SUPERVISOR_API] = "api",
    [SUPERVISOR_FRONT] = "front",       [SUPERVISOR_DETECTOR] = "detector",
    [SUPERVISOR_RECEIVER] = "receiver", [SUPERVISOR_FETCH] = "fetch",
    [SUPERVISOR_SIFTER] = "sifter",     [SUPERVISOR_READER] = "reader",
    [SUPERVISOR_READER + 1] = "reader", [SUPERVISOR_RENDER] = "render"};

const char *supervisor_name(enum supervisor_child which)
{
    return supervisor_names[which];
}

static int supervisor_fetch(const struct supervisor *supervisor, int far_channel)
{
    struct fetch_channels channels = {
        .core = supervisor->fetch_core[0],
        .reader_count = SUPERVISOR_READERS,
        .render = supervisor->next.has_browser ? supervisor->fetch_render[0] : -1,
        .supervisor = far_channel};

    for (size_t i = 0; i < SUPERVISOR_READERS; i++) {
        channels.readers[i] = supervisor->fetch_reader[i][0];
    }
    return fetch_run_centre(&supervisor->next, &channels);
}

static int supervisor_front(const struct supervisor *supervisor, int far_channel)
{
    return front_run(&supervisor->next,
                     (struct front_channels){.listeners = &supervisor->listeners,
                                             .core = supervisor->front_core[0],
                                             .api = supervisor->front_api[0],
                                             .receiver = supervisor->front_receiver[0],
                                             .supervisor = far_channel});
}

static int supervisor_receiver(const struct supervisor *supervisor, int far_channel)
{
    return receiver_run(&(struct receiver_options){
        .user = supervisor->next.is_user_kept ? NULL : supervisor->next.receiver_user,
        .folder = supervisor->next.folder,
        .listeners = &supervisor->listeners,
        .core = supervisor->receiver_core[0],
        .api = supervisor->receiver_api[0],
        .front = supervisor->front_receiver[1],
        .supervisor = far_channel});
}

int supervisor_body(void *context)
{
    const struct child *child = context;
    const struct supervisor *supervisor = child->supervisor;

    switch ((int)child->which) {
    case SUPERVISOR_CORE:
        return core_run(&supervisor->next,
                        (struct core_channels){.front = supervisor->front_core[1],
                                               .api = supervisor->api_core[1],
                                               .fetch = supervisor->fetch_core[1],
                                               .detector = supervisor->detector_core[1],
                                               .receiver = supervisor->receiver_core[1],
                                               .supervisor = child->far_channel});
    case SUPERVISOR_API:
        return api_run(&supervisor->next,
                       (struct api_channels){.front = supervisor->front_api[1],
                                             .core = supervisor->api_core[0],
                                             .receiver = supervisor->receiver_api[1],
                                             .sifter = supervisor->api_sifter[0],
                                             .supervisor = child->far_channel});
    case SUPERVISOR_FRONT:
        return supervisor_front(supervisor, child->far_channel);
    case SUPERVISOR_RECEIVER:
        return supervisor_receiver(supervisor, child->far_channel);
    case SUPERVISOR_DETECTOR:
        return detector_run(&(struct detector_options){
            .user = supervisor->next.is_user_kept ? NULL : supervisor->next.detector_user,
            .rules = &supervisor->next.rules,
            .pipelines = &supervisor->next.pipelines,
            .lists = supervisor->next.lists,
            .channel = supervisor->detector_core[0],
            .supervisor = child->far_channel});
    case SUPERVISOR_SIFTER:
        return sifter_run(&(struct sifter_options){
            .user = supervisor->next.is_user_kept ? NULL : supervisor->next.detector_user,
            .pipelines = &supervisor->next.pipelines,
            .channel = supervisor->api_sifter[1],
            .supervisor = child->far_channel});
    case SUPERVISOR_FETCH:
        return supervisor_fetch(supervisor, child->far_channel);
    case SUPERVISOR_RENDER:
        return render_run(&(struct render_options){
            .user = supervisor->next.is_user_kept ? NULL : supervisor->next.render_user,
            .program = BROWSER_PROGRAM,
            .channel = supervisor->fetch_render[1],
            .supervisor = child->far_channel});
    default:
        return reader_run(&(struct reader_options){
            .user = supervisor->next.is_user_kept ? NULL : supervisor->next.reader_user,
            .lists = supervisor->next.lists,
            .channel = supervisor->fetch_reader[child->which - SUPERVISOR_READER][1],
            .supervisor = child->far_channel});
    }
}

size_t supervisor_keep(const struct child *child, int keep[SUPERVISOR_KEEP_MAX])
{
    const struct supervisor *supervisor = child->supervisor;
    size_t count = 0;

    keep[count++] = child->far_channel;
    if (child->which == SUPERVISOR_FRONT) {
        keep[count++] = supervisor->front_core[0];
        keep[count++] = supervisor->front_api[0];
        keep[count++] = supervisor->front_receiver[0];
        count += listeners_put(&supervisor->listeners, LISTENER_TLS, keep + count);
        count += listeners_put(&supervisor->listeners, LISTENER_SYSLOG_TLS, keep + count);
    } else if (child->which == SUPERVISOR_RECEIVER) {
        keep[count++] = supervisor->receiver_core[0];
        keep[count++] = supervisor->receiver_api[0];
        keep[count++] = supervisor->front_receiver[1];
        count += listeners_put(&supervisor->listeners, LISTENER_SYSLOG_UDP, keep + count);
        count += listeners_put(&supervisor->listeners, LISTENER_SYSLOG_TCP, keep + count);
    } else if (child->which == SUPERVISOR_CORE) {
        keep[count++] = supervisor->front_core[1];
        keep[count++] = supervisor->api_core[1];
        keep[count++] = supervisor->fetch_core[1];
        keep[count++] = supervisor->detector_core[1];
        keep[count++] = supervisor->receiver_core[1];
    } else if (child->which == SUPERVISOR_DETECTOR) {
        keep[count++] = supervisor->detector_core[0];
    } else if (child->which == SUPERVISOR_SIFTER) {
        keep[count++] = supervisor->api_sifter[1];
    } else if (child->which == SUPERVISOR_FETCH) {
        keep[count++] = supervisor->fetch_core[0];
        for (size_t i = 0; i < SUPERVISOR_READERS; i++) {
            keep[count++] = supervisor->fetch_reader[i][0];
        }
        keep[count++] = supervisor->fetch_render[0];
    } else if (child->which == SUPERVISOR_RENDER) {
        keep[count++] = supervisor->fetch_render[1];
    } else if (child->which >= SUPERVISOR_READER) {
        keep[count++] = supervisor->fetch_reader[child->which - SUPERVISOR_READER][1];
    } else {
        keep[count++] = supervisor->front_api[1];
        keep[count++] = supervisor->api_core[0];
        keep[count++] = supervisor->receiver_api[1];
        keep[count++] = supervisor->api_sifter[0];
    }
    return count;
}

void supervisor_list_pairs(struct supervisor *supervisor, int (*ret_pairs[SUPERVISOR_PAIRS])[2])
{
    int(*const pairs[])[2] = {&supervisor->front_core,     &supervisor->front_api,
                              &supervisor->api_core,       &supervisor->fetch_core,
                              &supervisor->fetch_render,   &supervisor->detector_core,
                              &supervisor->receiver_core,  &supervisor->receiver_api,
                              &supervisor->front_receiver, &supervisor->api_sifter};

    static_assert(ARRAY_LEN(pairs) + SUPERVISOR_READERS == SUPERVISOR_PAIRS);
    memcpy(ret_pairs, pairs, sizeof(pairs));
    for (size_t i = 0; i < SUPERVISOR_READERS; i++) {
        ret_pairs[ARRAY_LEN(pairs) + i] = &supervisor->fetch_reader[i];
    }
}
