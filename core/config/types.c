/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/config/types.h"
#include "core/base/secret.h"

#include "core/config/errors.h"

typedef struct {
  const char *name;
  gint64 factor;
} Unit;

/* From large to small, so that a composite (`1m30s`) has to go down. */
static const Unit duration_units[] = {{"w", 604800000}, {"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
static const Unit rate_units[] = {{"T", 1000000000000}, {"G", 1000000000}, {"M", 1000000}, {"k", 1000}};
/* As printed; as RouterOS and SI have it, k is 1000 and Ki 1024. */
static const Unit size_units[] = {{"TiB", (gint64)1 << 40}, {"T", 1000000000000}, {"GiB", (gint64)1 << 30}, {"G", 1000000000},
                                  {"MiB", (gint64)1 << 20}, {"M", 1000000},       {"KiB", (gint64)1 << 10}, {"k", 1000}};

static const char *const off_words[] = {"none", "disabled", "unlimited", "no"};

gboolean adit_type_is_number(AditType type) {
  return type == ADIT_TYPE_INT || type == ADIT_TYPE_DURATION || type == ADIT_TYPE_RATE || type == ADIT_TYPE_SIZE;
}

gboolean adit_is_off_word(const char *text) {
  for (guint i = 0; i < G_N_ELEMENTS(off_words); i++)
    if (!g_ascii_strcasecmp(text, off_words[i]))
      return TRUE;
  return FALSE;
}

const char *adit_option_off_word(const AditOption *option) {
  return option->fallback && adit_is_off_word(option->fallback) ? option->fallback : "none";
}

/* ---- words ---- */

static char **words_collect(const AditOption *option, gboolean spellings) {
  g_auto(GStrv) tokens = g_strsplit_set(option->words ? option->words : "", " ", -1);
  GPtrArray *words = g_ptr_array_new();
  for (char **t = tokens; *t; t++) {
    const char *equals = strchr(*t, '=');
    if (equals && spellings)
      g_ptr_array_add(words, g_strndup(*t, (gsize)(equals - *t)));
    else if (!equals && **t)
      g_ptr_array_add(words, g_strdup(*t));
  }
  g_ptr_array_add(words, NULL);
  return (char **)g_ptr_array_free(words, FALSE);
}

char **adit_option_words(const AditOption *option) {
  return words_collect(option, FALSE);
}

char **adit_option_spellings(const AditOption *option) {
  return words_collect(option, TRUE);
}

static int bool_word(const char *text) {
  static const char *const words[] = {"no", "yes", "false", "true", "off", "on"};
  for (int i = 0; i < (int)G_N_ELEMENTS(words); i++)
    if (!g_ascii_strcasecmp(text, words[i]))
      return i & 1;
  return -1;
}

static char *word_find(char **tokens, const char *text) {
  for (char **t = tokens; *t; t++) {
    const char *equals = strchr(*t, '=');
    gsize length = equals ? (gsize)(equals - *t) : strlen(*t);
    if (length && strlen(text) == length && !g_ascii_strncasecmp(*t, text, length))
      return g_strdup(equals ? equals + 1 : *t);
  }
  return NULL;
}

/* The canonical word for `text`, the caller's; NULL if it is none of the option's. */
static char *canonical_word(const AditOption *option, const char *text) {
  g_auto(GStrv) tokens = g_strsplit_set(option->words ? option->words : "", " ", -1);
  char *word = word_find(tokens, text);
  int b = bool_word(text);
  if (!word && b >= 0) /* `true` where the words are yes, no and default */
    word = word_find(tokens, b ? "yes" : "no");
  return word;
}

char **adit_words_split(const char *text) {
  g_autofree char *own = g_strstrip(g_strdup(text));
  gsize length = strlen(own);
  char *begin = own;
  if (length >= 2 && own[0] == '[' && own[length - 1] == ']') {
    own[length - 1] = 0;
    begin = own + 1;
  }
  if (!*g_strstrip(begin))
    return g_new0(char *, 1);
  char **words = g_strsplit(begin, ",", -1);
  for (char **w = words; *w; w++)
    g_strstrip(*w);
  return words;
}

gboolean adit_option_splits(const AditOption *option) {
  switch (option->type) {
  case ADIT_TYPE_SET:
    return TRUE;
  case ADIT_TYPE_BOOL:
  case ADIT_TYPE_INT:
  case ADIT_TYPE_DURATION:
  case ADIT_TYPE_RATE:
  case ADIT_TYPE_SIZE:
  case ADIT_TYPE_ENUM:
  case ADIT_TYPE_ADDRESS:
  case ADIT_TYPE_PREFIX:
  case ADIT_TYPE_ADDRESS_OR_NAME:
  case ADIT_TYPE_RANGE:
  case ADIT_TYPE_OCTETS:
    return (option->flags & ADIT_OPTION_LIST) != 0;
  case ADIT_TYPE_STRING:
  case ADIT_TYPE_MAP:
    return FALSE;
  }
  return FALSE;
}

/* ---- numbers ---- */

static gboolean read_digits(const char **p, gint64 *out) {
  const char *begin = *p;
  gint64 n = 0;
  for (; g_ascii_isdigit(**p); (*p)++)
    if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, **p - '0', &n))
      return FALSE;
  *out = n;
  return *p > begin;
}

static gboolean parse_int(const char *text, gint64 *out) {
  gboolean negative = *text == '-';
  if (negative || *text == '+')
    text++;
  if (!read_digits(&text, out) || *text)
    return FALSE;
  if (negative)
    *out = -*out;
  return TRUE;
}

/* `HH:MM:SS` or `HH:MM`, as RouterOS prints durations; `p` is behind any weeks and days. */
static gboolean parse_clock(const char *p, gint64 *ms) {
  gint64 part[3] = {0, 0, 0};
  int n = 0;
  for (;; p++) {
    if (n == 3 || !read_digits(&p, &part[n++]))
      return FALSE;
    if (!*p)
      break;
    if (*p != ':')
      return FALSE;
  }
  if (n < 2 || part[1] > 59 || part[2] > 59 || part[0] > G_MAXINT32)
    return FALSE;
  *ms = (part[0] * 3600 + part[1] * 60 + part[2]) * 1000;
  return TRUE;
}

static gboolean parse_duration(const char *text, gint64 *out) {
  const char *p = text;
  gint64 sum = 0, n, ms;
  guint next = 0; /* units from here on may follow */

  while (*p) {
    const char *begin = p;
    if (!read_digits(&p, &n))
      return FALSE;
    if (*p == ':') {
      if (next > 2 || !parse_clock(begin, &ms))
        return FALSE;
      return !__builtin_add_overflow(sum, ms, out);
    }
    if (!*p && p > text && begin == text) /* a bare number: seconds */
      return !__builtin_mul_overflow(n, 1000, out);
    gsize length = strspn(p, "wdhms");
    guint unit = next;
    while (unit < G_N_ELEMENTS(duration_units) &&
           (strlen(duration_units[unit].name) != length || strncmp(p, duration_units[unit].name, length) != 0))
      unit++;
    if (unit == G_N_ELEMENTS(duration_units))
      return FALSE;
    if (__builtin_mul_overflow(n, duration_units[unit].factor, &n) || __builtin_add_overflow(sum, n, &sum))
      return FALSE;
    next = unit + 1;
    p += length;
  }
  *out = sum;
  return p > text;
}

/* A number with up to three decimals (`1.5M`) and a factor; its result must be complete. */
static gboolean scale_number(gint64 whole, const char *decimals, gsize n_decimals, gint64 factor, gint64 *out) {
  gint64 part = 0, divisor = 1;
  for (gsize i = 0; i < n_decimals; i++) {
    part = part * 10 + (decimals[i] - '0');
    divisor *= 10;
  }
  gint64 product;
  if (__builtin_mul_overflow(part, factor, &product) || product % divisor || __builtin_mul_overflow(whole, factor, &whole))
    return FALSE;
  return !__builtin_add_overflow(whole, product / divisor, out);
}

/* The factor of a rate's or size's suffix; 0 if it is none. */
static gint64 suffix_factor(AditType type, const char *suffix) {
  static const char letters[] = "kmgt";
  if (!*suffix)
    return 1;
  const char *tail = suffix;
  const char *letter = strchr(letters, g_ascii_tolower(*suffix));
  gint64 base = 1000, factor = 1;
  if (letter) {
    tail++;
    if (type == ADIT_TYPE_SIZE && *tail == 'i') {
      base = 1024;
      tail++;
    }
    for (const char *l = letters; l <= letter; l++)
      factor *= base;
  }
  if (type == ADIT_TYPE_SIZE)
    return !*tail || !strcmp(tail, "B") ? factor : 0;
  return !*tail || !strcmp(tail, "bit/s") || !strcmp(tail, "bps") ? factor : 0;
}

static gboolean parse_scaled(AditType type, const char *text, gint64 *out) {
  const char *p = text, *decimals = "";
  gsize n_decimals = 0;
  gint64 whole;

  if (!read_digits(&p, &whole))
    return FALSE;
  if (*p == '.') {
    decimals = ++p;
    n_decimals = strspn(p, "0123456789");
    p += n_decimals;
    if (!n_decimals || n_decimals > 3)
      return FALSE;
  }
  gint64 factor = suffix_factor(type, p);
  return factor && scale_number(whole, decimals, n_decimals, factor, out);
}

static char *scaled_format(const Unit *units, guint n_units, gint64 n) {
  for (guint i = 0; i < n_units && n; i++)
    if (n % units[i].factor == 0)
      return g_strdup_printf("%" G_GINT64_FORMAT "%s", n / units[i].factor, units[i].name);
  return g_strdup_printf("%" G_GINT64_FORMAT, n);
}

static char *duration_format(gint64 ms) {
  if (ms <= 0)
    return g_strdup_printf("%" G_GINT64_FORMAT "s", ms);
  GString *text = g_string_new(NULL);
  for (guint i = 1; i < G_N_ELEMENTS(duration_units); i++) { /* days are the largest that people count in */
    gint64 n = ms / duration_units[i].factor;
    if (n)
      g_string_append_printf(text, "%" G_GINT64_FORMAT "%s", n, duration_units[i].name);
    ms -= n * duration_units[i].factor;
  }
  return g_string_free(text, FALSE);
}

char *adit_number_format(AditType type, gint64 n) {
  if (type == ADIT_TYPE_DURATION)
    return duration_format(n);
  if (type == ADIT_TYPE_RATE)
    return scaled_format(rate_units, G_N_ELEMENTS(rate_units), n);
  if (type == ADIT_TYPE_SIZE)
    return scaled_format(size_units, G_N_ELEMENTS(size_units), n);
  return g_strdup_printf("%" G_GINT64_FORMAT, n);
}

/* ---- one scalar ---- */

/* How a value is named in an error: as it was written, in quotes where the reader could not see its ends; never a secret. */
static char *quote_value(const AditOption *option, const char *text) {
  if (option->flags & ADIT_OPTION_SECRET)
    return g_strdup("the value");
  g_autofree char *head = g_utf8_make_valid(text, MIN(77, (gssize)strlen(text)));
  g_autofree char *cut = strlen(text) > 80 ? g_strconcat(head, "...", NULL) : g_strdup(text);
  gboolean plain = *cut && !g_ascii_isspace(*cut) && !g_ascii_isspace(cut[strlen(cut) - 1]);
  for (const char *c = cut; *c; c++)
    plain = plain && !g_ascii_iscntrl(*c);
  if (plain)
    return g_steal_pointer(&cut);
  g_autofree char *escaped = g_strescape(cut, NULL);
  return g_strdup_printf("\"%s\"", escaped);
}

G_GNUC_PRINTF(4, 5)
static AditValue *set_value_error(GError **error, const AditOption *option, const char *text, const char *format, ...) {
  g_autofree char *shown = quote_value(option, text);
  va_list args;
  va_start(args, format);
  g_autofree char *why = g_strdup_vprintf(format, args);
  va_end(args);
  g_set_error(error, ADIT_ERROR, ADIT_ERR_INVALID, "%s %s", shown, why);
  return NULL;
}

static gboolean has_bounds(const AditOption *option) {
  return option->min || option->max;
}

static AditValue *number_parse(const AditOption *option, const char *text, GError **error) {
  gint64 n;
  gboolean ok = option->type == ADIT_TYPE_INT        ? parse_int(text, &n)
                : option->type == ADIT_TYPE_DURATION ? parse_duration(text, &n)
                                                     : parse_scaled(option->type, text, &n);
  if (!ok)
    return set_value_error(error, option, text, "%s",
                           option->type == ADIT_TYPE_INT        ? "is not a whole number"
                           : option->type == ADIT_TYPE_DURATION ? "is not a duration, such as 30s, 1m30s or 00:05:00"
                           : option->type == ADIT_TYPE_RATE     ? "is not a rate, such as 512k or 10M"
                                                                : "is not a size, such as 64k or 16MiB");
  if (n == 0 && (option->flags & ADIT_OPTION_OFF))
    return adit_value_int(0);
  if (has_bounds(option) && (n < option->min || n > option->max)) {
    g_autofree char *bound = adit_number_format(option->type, n < option->min ? option->min : option->max);
    return set_value_error(error, option, text, "is %s %s", n < option->min ? "under" : "over", bound);
  }
  return adit_value_int(n);
}

static AditValue *string_parse(const AditOption *option, const char *text, GError **error) {
  gint64 length = (gint64)strlen(text);
  if (has_bounds(option) && length < option->min)
    return length ? set_value_error(error, option, text, "has %d octets, under %d", (int)length, (int)option->min)
                  : set_value_error(error, option, text, "is empty");
  if (has_bounds(option) && option->max && length > option->max)
    return set_value_error(error, option, text, "has %d octets, over %d", (int)length, (int)option->max);
  return option->flags & ADIT_OPTION_SECRET ? adit_secret_value(text) : adit_value_string(text);
}

static AditValue *word_parse(const AditOption *option, const char *text, GError **error) {
  g_autofree char *word = canonical_word(option, text);
  if (word)
    return adit_value_string(word);
  g_auto(GStrv) words = adit_option_words(option);
  g_auto(GStrv) spellings = adit_option_spellings(option);
  g_autofree char *list = g_strjoinv(", ", words);
  const char *near = adit_config_nearest(text, (const char *const *)words);
  if (!near)
    near = adit_config_nearest(text, (const char *const *)spellings);
  return near ? set_value_error(error, option, text, "is not one of %s; did you mean %s?", list, near)
              : set_value_error(error, option, text, "is not one of %s", list);
}

/* Looks like an address that was mistyped: a name would hold a letter and no colon. */
static gboolean looks_like_address(const char *text) {
  return strchr(text, ':') || text[strspn(text, "0123456789./")] == 0;
}

static AditValue *address_or_name_parse(const AditOption *option, const char *text, GError **error) {
  AditAddress address;
  if (adit_address_parse(text, &address))
    return adit_value_address(&address);
  if (looks_like_address(text))
    return set_value_error(error, option, text, "is neither an IP address nor a name");
  return adit_value_string(text);
}

static AditValue *range_parse(const AditOption *option, const char *text, GError **error) {
  AditPrefix prefix;
  if (adit_prefix_parse(text, &prefix))
    return adit_value_string(text);

  g_auto(GStrv) ends = g_strsplit(text, "-", 2);
  AditAddress first, last;
  if (g_strv_length(ends) != 2 || !adit_address_parse(g_strstrip(ends[0]), &first) || !adit_address_parse(g_strstrip(ends[1]), &last))
    return set_value_error(error, option, text, "is not a range, such as 192.0.2.10-192.0.2.99 or 192.0.2.0/24");
  if (first.family != last.family)
    return set_value_error(error, option, text, "begins with one family and ends with another");
  if (memcmp(first.octet, last.octet, sizeof first.octet) > 0)
    return set_value_error(error, option, text, "ends before it begins");
  g_autofree char *clean = g_strdup_printf("%s-%s", ends[0], ends[1]);
  return adit_value_string(clean);
}

static AditValue *octets_parse(const AditOption *option, const char *text, GError **error) {
  const char *hex = g_str_has_prefix(text, "0x") ? text + 2 : text;
  gsize length = strlen(hex) / 2;

  if (strlen(hex) % 2 || hex[strspn(hex, "0123456789abcdefABCDEF")])
    return set_value_error(error, option, text, "is not octets, such as 0x00ff");
  if (has_bounds(option) && ((gint64)length < option->min || (gint64)length > option->max))
    return set_value_error(error, option, text, "has %d octets, %s %d", (int)length, (gint64)length < option->min ? "under" : "over",
                           (int)((gint64)length < option->min ? option->min : option->max));
  g_autofree guint8 *octets = g_malloc(length + 1);
  for (gsize i = 0; i < length; i++)
    octets[i] = (guint8)(g_ascii_xdigit_value(hex[2 * i]) << 4 | g_ascii_xdigit_value(hex[2 * i + 1]));
  return adit_value_octets(octets, length);
}

/* The value that "off" replaces: nothing. */
static AditValue *off_value(const AditOption *option) {
  static const AditAddress no_address;
  static const AditPrefix no_prefix;
  switch (option->type) {
  case ADIT_TYPE_BOOL:
    return adit_value_bool(FALSE);
  case ADIT_TYPE_INT:
  case ADIT_TYPE_DURATION:
  case ADIT_TYPE_RATE:
  case ADIT_TYPE_SIZE:
    return adit_value_int(0);
  case ADIT_TYPE_ADDRESS:
    return adit_value_address(&no_address);
  case ADIT_TYPE_PREFIX:
    return adit_value_prefix(&no_prefix);
  case ADIT_TYPE_OCTETS:
    return adit_value_octets("", 0);
  case ADIT_TYPE_STRING:
  case ADIT_TYPE_ENUM:
  case ADIT_TYPE_SET:
  case ADIT_TYPE_ADDRESS_OR_NAME:
  case ADIT_TYPE_RANGE:
  case ADIT_TYPE_MAP:
    return adit_value_string("");
  }
  return NULL;
}

AditValue *adit_scalar_parse(const AditOption *option, const char *text, GError **error) {
  AditAddress address;
  AditPrefix prefix;
  int b;

  if ((option->flags & ADIT_OPTION_OFF) && adit_is_off_word(text))
    return off_value(option);
  switch (option->type) {
  case ADIT_TYPE_BOOL:
    b = bool_word(text);
    return b < 0 ? set_value_error(error, option, text, "is neither yes nor no") : adit_value_bool(b);
  case ADIT_TYPE_INT:
  case ADIT_TYPE_DURATION:
  case ADIT_TYPE_RATE:
  case ADIT_TYPE_SIZE:
    return number_parse(option, text, error);
  case ADIT_TYPE_STRING:
    return string_parse(option, text, error);
  case ADIT_TYPE_ENUM:
  case ADIT_TYPE_SET:
    return word_parse(option, text, error);
  case ADIT_TYPE_ADDRESS:
    return adit_address_parse(text, &address) ? adit_value_address(&address) : set_value_error(error, option, text, "is not an IP address");
  case ADIT_TYPE_PREFIX:
    if (adit_prefix_parse(text, &prefix))
      return adit_value_prefix(&prefix);
    if (bool_word(text) == 1)
      return set_value_error(error, option, text, "does not say which: write the prefixes, such as 192.0.2.0/24 or 2001:db8::/32");
    return set_value_error(error, option, text, "is not a prefix, such as 192.0.2.0/24 or 2001:db8::/32");
  case ADIT_TYPE_ADDRESS_OR_NAME:
    return address_or_name_parse(option, text, error);
  case ADIT_TYPE_RANGE:
    return range_parse(option, text, error);
  case ADIT_TYPE_OCTETS:
    return octets_parse(option, text, error);
  case ADIT_TYPE_MAP:
    return set_value_error(error, option, text, "is one value: a map of options is wanted");
  }
  return NULL;
}
