/* What the parts of page_read share: page.c walks the tags and keeps the stack of open elements,
 * page_tag.c takes what single tags tell,
 * page_style.c finds what hides them, page_text.c makes blocks, page_link.c links and hosts,
 * page_script.c hashes scripts; page_words.c finds words. */
#ifndef DETECT_DEFACE_PAGE_PART_H
#define DETECT_DEFACE_PAGE_PART_H

#include "codec/css.h"
#include "codec/html.h"
#include "detect/deface/page.h"
#include "detect/deface/page_words.h"

#define PAGE_NO_LINK     SIZE_MAX
#define PAGE_OTHER_SLOTS 64 /* counters of open elements that are no enum html_tag */

/* In hundredths of pixels. */
#define PAGE_FAR   (-50000) /* nobody scrolls there */
#define PAGE_TINY  150      /* of a font */
#define PAGE_SPECK 100      /* of a box */

/* A set of names of classes and ids, two bits each: the elements around. */
struct page_names {
    uint64_t bits[4];
};

struct page_element {
    uint64_t key;
    enum html_tag tag;
    uint32_t firm; /* hiding that children cannot undo */
    uint32_t hiding;
    bool is_tiny; /* its font, until a child sets another */
    bool is_tiny_by_sheet;
    bool is_colour_by_sheet;
    uint32_t colour;
    uint32_t background;
    struct page_names names;
};

struct page_rule_slot {
    uint64_t key;
    uint32_t first; /* index + 1 of the first rule whose own[0] it is; 0: free */
    uint32_t last;
};

/* The rules of all sheets, found by own[0]. */
struct page_rules {
    struct css_sheet sheet;
    struct page_rule_slot *slots; /* power of two */
    size_t slot_count;
    uint32_t *next; /* of each rule: index + 1 of the next with the same own[0] */
    size_t indexed;
};

struct page_reader {
    struct arena *arena;
    const struct page_options *options;
    struct page page;
    struct html_reader html;
    int error;

    struct page_element stack[PAGE_DEPTH_MAX]; /* [0] stands for the screen */
    size_t depth;                              /* index of the innermost */
    uint32_t excess;                           /* elements open past the stack */
    uint32_t open_count[HTML_TAG_COUNT + PAGE_OTHER_SLOTS];
    struct page_rules rules;

    char *line; /* the block being made */
    size_t line_len;
    size_t line_room;
    size_t line_last; /* where its last letter begins */
    uint32_t line_offset;
    uint32_t line_hiding;
    bool has_space;     /* white space since the last letter */
    bool is_all_linked; /* so far */

    size_t anchor;      /* the link whose text is being read, or PAGE_NO_LINK */
    size_t anchor_from; /* in the line */
    size_t form;        /* the open form's link, or PAGE_NO_LINK */
    struct str own_host;
    struct str base_host; /* of relative links; empty: the page's own */
    struct str base_url;  /* as written; empty: the page has none */
    bool has_title;
    bool is_data_script; /* the one whose contents come next */

    struct page_block *blocks;
    size_t block_room;
    struct page_link *links;
    size_t link_room;
    struct page_script *scripts;
    size_t script_room;

    uint64_t text_hash;
    struct page_simhash text;
    struct page_simhash structure;
};

/* Room for one more item of size bytes in a list of count, of which limit may be: the list, moved
 * or not; NULL past the limit (page.is_cut) or out of memory (error). */
void *page_grow(struct page_reader *reader, void *list, size_t count, size_t *room, size_t size,
                size_t limit);

/* What an opening tag tells beside its place. hiding: of its element. */
void page_tag_facts(struct page_reader *reader, const struct html_token *token, uint32_t hiding);

/* Text of a token, decoded and normalised onto the line. offset: of its first byte. */
void page_text_add(struct page_reader *reader, struct str raw, size_t offset);
/* Ends the block. */
void page_text_break(struct page_reader *reader);
/* Text outside of blocks (titles, alt): decoded, normalised, in the arena, cut at limit bytes. */
struct str page_text_plain(struct page_reader *reader, struct str raw, size_t limit);

/* Adds a link of the token's element; hiding: of the element. Its index, or PAGE_NO_LINK. */
size_t page_link_add(struct page_reader *reader, enum page_link_kind kind, struct str raw_url,
                     size_t offset, uint32_t hiding);
/* The anchor's text ends here, at </a> or at the end of the line. */
void page_link_take_text(struct page_reader *reader);
void page_link_set_base(struct page_reader *reader, struct str raw_url);
/* The host of an absolute or protocol-relative address, in lower case; empty when it has none. */
struct str page_url_host(struct str url, struct arena *arena);

void page_script_add(struct page_reader *reader, struct str text, size_t offset, bool is_data);
/* Where an inline script or a handler sends the browser: constants given to location. */
void page_script_find_targets(struct page_reader *reader, struct str text, size_t offset);

[[nodiscard]] int page_rules_add(struct page_reader *reader, struct str sheet);
/* What hides the element of an opening tag; fills everything of ret_element but key and tag. */
void page_style_of(const struct page_reader *reader, const struct html_token *token,
                   const struct page_element *parent, struct page_element *ret_element);

#endif
