/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* aditctl(1): asks the daemon which commands there are, finds the one that was typed, calls it and prints the answer. */
#include "core/aditctl.h"
#include "config.h"
#include "core/control/control.h"
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { EXIT_GOOD = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_NO_DAEMON = 3 };

typedef struct {
  const char *socket;
  gboolean json, help, version, complete;
  GPtrArray *words; /* of char*, borrowed from argv */
} Options;

static const char usage[] = "aditctl - control a running aditd\n"
                            "\n"
                            "  aditctl [--json] [--socket PATH] COMMAND [ARGUMENT...]\n"
                            "\n"
                            "  --json         print the reply as JSON\n"
                            "  --socket PATH  the daemon's socket (default " ADIT_CONTROL_SOCKET ", or $ADIT_SOCKET)\n"
                            "  --help         print this text and the commands of the daemon\n"
                            "  --version      print the version\n"
                            "  --             end of options, for names that begin with a dash\n"
                            "\n";

/* ---- the daemon's commands ---- */

static const char *get_member(JsonObject *object, const char *name) {
  return json_object_get_string_member_with_default(object, name, "");
}

static JsonArray *list_commands(Connection *connection, GError **error) {
  gboolean continues;

  if (!ctl_send(connection, "io.adit.core.ListCommands", NULL, FALSE, error))
    return NULL;
  g_autoptr(JsonObject) reply = ctl_receive(connection, &continues, error);
  if (!reply)
    return NULL;
  JsonNode *node = json_object_get_member(reply, "commands");
  return node && JSON_NODE_HOLDS_ARRAY(node) ? json_array_ref(json_node_get_array(node)) : json_array_new();
}

/* How many of `words` the verb is, if they begin with it; else 0. */
static guint count_matching(const char *verb, const GPtrArray *words, guint from) {
  g_auto(GStrv) parts = g_strsplit(verb, " ", -1);
  guint n = g_strv_length(parts);

  if (from + n > words->len)
    return 0;
  for (guint i = 0; i < n; i++)
    if (strcmp(parts[i], (const char *)words->pdata[from + i]))
      return 0;
  return n;
}

/* The longest verb that the words begin with. */
static JsonObject *find_command(JsonArray *commands, const GPtrArray *words, guint from, guint *taken) {
  JsonObject *best = NULL;

  *taken = 0;
  for (guint i = 0; i < json_array_get_length(commands); i++) {
    JsonObject *command = json_array_get_object_element(commands, i);
    guint n = count_matching(get_member(command, "verb"), words, from);
    if (n > *taken) {
      best = command;
      *taken = n;
    }
  }
  return best;
}

/* ---- help ---- */

static guint terminal_width(void) {
  struct winsize size;
  if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
    return size.ws_col;
  return 0;
}

static char *write_synopsis(JsonObject *command) {
  const char *arguments = get_member(command, "arguments");
  g_autofree char *upper = g_ascii_strup(arguments, -1);
  return g_strdup_printf("%s%s%s", get_member(command, "verb"), *arguments ? " " : "", upper);
}

static int by_verb(gconstpointer a, gconstpointer b) {
  return strcmp(get_member(*(JsonObject *const *)a, "verb"), get_member(*(JsonObject *const *)b, "verb"));
}

/* Those with a verb that begins with `prefix`. */
static guint print_commands(FILE *out, JsonArray *commands, const char *prefix) {
  g_autoptr(GPtrArray) sorted = g_ptr_array_new();
  int width = 0;

  for (guint i = 0; i < json_array_get_length(commands); i++) {
    JsonObject *command = json_array_get_object_element(commands, i);
    if (!g_str_has_prefix(get_member(command, "verb"), prefix))
      continue;
    g_autofree char *text = write_synopsis(command);
    width = MAX(width, (int)strlen(text));
    g_ptr_array_add(sorted, command);
  }
  g_ptr_array_sort(sorted, by_verb);
  for (guint i = 0; i < sorted->len; i++) {
    g_autofree char *text = write_synopsis((JsonObject *)sorted->pdata[i]);
    fprintf(out, "  %-*s  %s\n", width, text, get_member((JsonObject *)sorted->pdata[i], "summary"));
  }
  return sorted->len;
}

static void print_help_of(JsonObject *command) {
  guint width = terminal_width();
  g_autofree char *text = write_synopsis(command);

  printf("aditctl %s: %s\n\n", text, get_member(command, "summary"));
  ctl_print_wrapped(get_member(command, "help"), 2, width ? width : 100);
  if (json_object_get_boolean_member_with_default(command, "changes", FALSE))
    printf("\n  It changes something: needs root, the daemon's user, or the management group.\n");
  if (json_object_has_member(command, "columns"))
    printf("\n  With --json nothing is shortened, and there may be more fields than columns.\n");
  printf("  The method behind it is %s.\n", get_member(command, "method"));
}

/* ---- near misses ---- */

static guint measure_distance(const char *a, const char *b) {
  gsize n = strlen(b);
  g_autofree guint *row = g_new(guint, n + 1);

  for (gsize j = 0; j <= n; j++)
    row[j] = (guint)j;
  for (gsize i = 1; a[i - 1]; i++) {
    guint corner = row[0];
    row[0] = (guint)i;
    for (gsize j = 1; j <= n; j++) {
      guint above = row[j];
      row[j] = MIN(MIN(above, row[j - 1]) + 1, corner + (a[i - 1] != b[j - 1]));
      corner = above;
    }
  }
  return row[n];
}

static char *join_words(const GPtrArray *words, guint from, guint count) {
  GString *text = g_string_new(NULL);
  for (guint i = from; i < words->len && i < from + count; i++)
    g_string_append_printf(text, "%s%s", i > from ? " " : "", (const char *)words->pdata[i]);
  return g_string_free(text, FALSE);
}

/* The verb that is nearest to as many of the words as it has itself. */
static const char *find_nearest(JsonArray *commands, const GPtrArray *words, guint from) {
  const char *best = NULL;
  guint least = G_MAXUINT;

  for (guint i = 0; i < json_array_get_length(commands); i++) {
    const char *verb = get_member(json_array_get_object_element(commands, i), "verb");
    g_auto(GStrv) parts = g_strsplit(verb, " ", -1);
    g_autofree char *typed = join_words(words, from, g_strv_length(parts));
    guint d = measure_distance(typed, verb);
    if (d < least && d <= 1 + strlen(verb) / 4) {
      least = d;
      best = verb;
    }
  }
  return best;
}

static int no_such_command(JsonArray *commands, const GPtrArray *words, guint from) {
  g_autofree char *typed = join_words(words, from, words->len), *first = g_strconcat((const char *)words->pdata[from], " ", NULL);
  const char *near = find_nearest(commands, words, from);

  fprintf(stderr, "aditctl: there is no command `%s`", typed);
  if (near) {
    fprintf(stderr, "; did you mean `%s`?\n", near);
  } else {
    fprintf(stderr, "; there are:\n");
    if (!print_commands(stderr, commands, first))
      print_commands(stderr, commands, "");
  }
  return EXIT_USAGE;
}

/* ---- completion ---- */

/* The words that may replace the last one. */
static int complete_words(JsonArray *commands, const GPtrArray *words) {
  g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  guint before = words->len ? words->len - 1 : 0, from = 0;

  if (before && !strcmp((const char *)words->pdata[0], "help"))
    from = 1;
  for (guint i = 0; i < json_array_get_length(commands); i++) {
    g_auto(GStrv) parts = g_strsplit(get_member(json_array_get_object_element(commands, i), "verb"), " ", -1);
    gboolean fits = g_strv_length(parts) > before - from;
    for (guint w = 0; fits && w < before - from; w++)
      fits = !strcmp(parts[w], (const char *)words->pdata[from + w]);
    if (fits && g_hash_table_add(seen, g_strdup(parts[before - from])))
      printf("%s\n", parts[before - from]);
  }
  if (!before)
    printf("help\n--json\n--socket\n--help\n--version\n");
  return EXIT_GOOD;
}

/* ---- running one ---- */

/* Positional words to named parameters. NULL when there are too few or too many. */
static JsonObject *parameters_of(JsonObject *command, const GPtrArray *words, guint from) {
  g_autoptr(JsonObject) parameters = json_object_new();
  g_auto(GStrv) names = g_strsplit(get_member(command, "arguments"), " ", -1);
  guint next = from;

  for (guint i = 0; names[i]; i++) {
    gboolean optional = names[i][0] == '[';
    g_autofree char *name = optional ? g_strndup(names[i] + 1, strcspn(names[i] + 1, "]")) : g_strdup(names[i]);
    if (!*name)
      continue;
    if (next < words->len)
      json_object_set_string_member(parameters, name, (const char *)words->pdata[next++]);
    else if (!optional)
      return NULL;
  }
  return next == words->len ? g_steal_pointer(&parameters) : NULL;
}

/* Prints the rows of one reply. A list in which something is marked as an error is a reason not to be satisfied. */
static int add_rows(Table *table, JsonObject *reply, const char *rows) {
  JsonNode *list = json_object_get_member(reply, rows);
  int status = EXIT_GOOD;

  for (guint i = 0; list && JSON_NODE_HOLDS_ARRAY(list) && i < json_array_get_length(json_node_get_array(list)); i++) {
    JsonNode *row = json_array_get_element(json_node_get_array(list), i);
    ctl_table_add(table, row);
    if (JSON_NODE_HOLDS_OBJECT(row) && !strcmp(get_member(json_node_get_object(row), "level"), "error"))
      status = EXIT_REFUSED;
  }
  return status;
}

static void print_reply(JsonObject *reply, JsonObject *command, gboolean json, gboolean stream) {
  if (json)
    ctl_print_json(reply, !stream);
  else if (stream)
    ctl_print_line(reply);
  else
    ctl_print_object(reply, get_member(command, "columns"));
}

static int run_command(Connection *connection, JsonObject *command, JsonObject *parameters, gboolean json) {
  const char *rows = json_object_get_string_member_with_default(command, "rows", NULL);
  const char *columns = json_object_get_string_member_with_default(command, "columns", NULL);
  g_autoptr(Table) table = rows ? ctl_table_new(rows, columns, json, terminal_width()) : NULL;
  g_autoptr(GError) error = NULL;
  gboolean continues = TRUE, stream = FALSE;
  int status = EXIT_GOOD;

  if (!ctl_send(connection, get_member(command, "method"), parameters, TRUE, &error)) {
    fprintf(stderr, "aditctl: %s\n", error->message);
    return EXIT_NO_DAEMON;
  }
  while (continues) {
    g_autoptr(JsonObject) reply = ctl_receive(connection, &continues, &error);
    if (!reply) {
      fflush(stdout);
      fprintf(stderr, "aditctl: %s\n", error->message);
      return EXIT_REFUSED;
    }
    stream |= continues;
    if (table && add_rows(table, reply, rows) != EXIT_GOOD)
      status = EXIT_REFUSED;
    else if (!table)
      print_reply(reply, command, json, stream);
  }
  if (table)
    ctl_table_end(table);
  return status;
}

/* ---- main ---- */

static gboolean parse_arguments(int argc, char **argv, Options *options) {
  gboolean words_only = FALSE;

  options->words = g_ptr_array_new();
  for (int i = 1; i < argc; i++) {
    const char *word = argv[i];
    if (words_only || word[0] != '-' || !word[1] || options->complete)
      g_ptr_array_add(options->words, (gpointer)word);
    else if (!strcmp(word, "--"))
      words_only = TRUE;
    else if (!strcmp(word, "--json"))
      options->json = TRUE;
    else if (!strcmp(word, "--help") || !strcmp(word, "-h"))
      options->help = TRUE;
    else if (!strcmp(word, "--version"))
      options->version = TRUE;
    else if (!strcmp(word, "--complete"))
      options->complete = TRUE;
    else if (!strcmp(word, "--socket") && i + 1 < argc)
      options->socket = argv[++i];
    else if (!strcmp(word, "--socket")) {
      fprintf(stderr, "aditctl: --socket needs a PATH\n");
      return FALSE;
    } else if (g_str_has_prefix(word, "--socket="))
      options->socket = word + strlen("--socket=");
    else if (word[1] != '-' && options->words->len) /* no option of ours, so that it is what the command is about: a user, say */
      g_ptr_array_add(options->words, (gpointer)word);
    else {
      fprintf(stderr, "aditctl: unknown option %s: see aditctl --help; a name that begins with a dash goes after `--'\n", word);
      return FALSE;
    }
  }
  if (!options->version && !options->complete && !options->words->len)
    options->help = TRUE;
  return TRUE;
}

static int show_help(JsonArray *commands, const GPtrArray *words, guint from) {
  guint taken;

  if (from >= words->len) {
    printf("%sCommands of this daemon:\n", usage);
    print_commands(stdout, commands, "");
    printf("\n`aditctl help COMMAND` tells more about one.\n");
    return EXIT_GOOD;
  }
  JsonObject *command = find_command(commands, words, from, &taken);
  if (command) {
    print_help_of(command);
    return EXIT_GOOD;
  }
  g_autofree char *prefix = join_words(words, from, words->len), *some = g_strconcat(prefix, " ", NULL);
  return print_commands(stdout, commands, some) ? EXIT_GOOD : no_such_command(commands, words, from);
}

static int act_on_words(Connection *connection, JsonArray *commands, const Options *options) {
  gboolean asks_help = options->words->len && !strcmp((const char *)options->words->pdata[0], "help");
  guint taken;

  if (options->complete)
    return complete_words(commands, options->words);
  if (options->help || asks_help)
    return show_help(commands, options->words, asks_help ? 1 : 0);
  JsonObject *command = find_command(commands, options->words, 0, &taken);
  if (!command)
    return no_such_command(commands, options->words, 0);
  JsonObject *parameters = parameters_of(command, options->words, taken);
  if (!parameters) {
    g_autofree char *text = write_synopsis(command);
    const char *near = taken < options->words->len ? find_nearest(commands, options->words, 0) : NULL;
    fprintf(stderr, "aditctl: usage: aditctl %s\n", near && strcmp(near, get_member(command, "verb")) ? near : text);
    return EXIT_USAGE;
  }
  return run_command(connection, command, parameters, options->json);
}

static int start_client(const Options *options) {
  g_autoptr(GError) error = NULL;
  const char *from_environment = g_getenv("ADIT_SOCKET");
  const char *path = options->socket ? options->socket : from_environment ? from_environment : ADIT_CONTROL_SOCKET;
  g_autoptr(Connection) connection = ctl_connect(path, &error);
  g_autoptr(JsonArray) commands = connection ? list_commands(connection, &error) : NULL;

  if (commands)
    return act_on_words(connection, commands, options);
  if (options->complete)
    return EXIT_NO_DAEMON;
  if (options->help)
    printf("%sCommands come from the daemon, which can't be asked now:\n", usage);
  fprintf(options->help ? stdout : stderr, "aditctl: %s\n", error->message);
  return options->help ? EXIT_GOOD : EXIT_NO_DAEMON;
}

int main(int argc, char **argv) {
  Options options = {0};
  int status = EXIT_USAGE;

  if (parse_arguments(argc, argv, &options)) {
    if (options.version) {
      printf("aditctl %s\n", PACKAGE_VERSION);
      status = EXIT_GOOD;
    } else {
      status = start_client(&options);
    }
  }
  g_ptr_array_unref(options.words);
  return status;
}
