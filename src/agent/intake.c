/* The order of the two stores in a note is what a kill between them relies on. */
#include "agent/intake.h"

#include "base/banned.h"

#include <stddef.h>
#include <sys/mman.h>

struct intake_page *intake_page_new(void)
{
    struct intake_page *page =
        mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    return page != MAP_FAILED ? page : NULL;
}

void intake_page_free(struct intake_page *page)
{
    if (page != NULL) {
        (void)munmap(page, sizeof(*page));
    }
}

/* Nothing is under way any more. */
static void intake_settle(struct intake_note *note, uint64_t taken)
{
    atomic_store(&note->before, taken);
    atomic_store(&note->number, 0);
}

void intake_open(struct intake *intake, struct intake_page *page, uint64_t count)
{
    *intake = (struct intake){.page = page};
    for (unsigned i = 0; i < INTAKE_CHANNELS; i++) {
        struct intake_note *note = &page->notes[i];
        uint64_t first = atomic_load(&note->number);
        uint64_t many = atomic_load(&note->many);
        uint64_t mark = atomic_load(&note->mark);
        uint64_t done = count > mark ? count - mark : 0;

        done = first == 0 ? 0 : done < many ? done : many;
        intake->taken[i] = done != 0 ? first + done - 1 : atomic_load(&note->before);
        intake_settle(note, intake->taken[i]); /* else what comes next would seem to be them */
    }
}

bool intake_is_taken(const struct intake *intake, unsigned channel, uint64_t number)
{
    return number != 0 && intake->taken[channel] == number;
}

bool intake_is_past(const struct intake *intake, unsigned channel, uint64_t number)
{
    return number <= intake->taken[channel];
}

void intake_begin(struct intake *intake, unsigned channel, uint64_t number, uint64_t many,
                  uint64_t count)
{
    struct intake_note *note = &intake->page->notes[channel];

    atomic_store(&note->before, intake->taken[channel]);
    atomic_store(&note->number, 0);
    atomic_store(&note->many, many);
    atomic_store(&note->mark, count);
    atomic_store(&note->number, number);
}

void intake_end(struct intake *intake, unsigned channel, uint64_t number)
{
    intake->taken[channel] = number;
    intake_settle(&intake->page->notes[channel], number);
}

void intake_cancel(struct intake *intake, unsigned channel)
{
    atomic_store(&intake->page->notes[channel].number, 0);
}
