/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/store/db.h"

#include <adit/log.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sqlite3.h>
#include <unistd.h>

enum { BUSY_MS = 5000 };

struct AditDb {
  char *path;
  sqlite3 *sql;
  sqlite3_stmt *begin, *commit, *rollback, *put, *remove, *load;
};

static gboolean set_db_error(AditDb *db, GError **error) {
  g_set_error(error, ADIT_ERROR, ADIT_ERR_SYSTEM, "%s: %s", db->path, db->sql ? sqlite3_errmsg(db->sql) : "out of memory");
  return FALSE;
}

static gboolean execute_sql(AditDb *db, const char *sql, GError **error) {
  return sqlite3_exec(db->sql, sql, NULL, NULL, NULL) == SQLITE_OK || set_db_error(db, error);
}

static gboolean prepare_statement(AditDb *db, const char *sql, sqlite3_stmt **statement, GError **error) {
  return sqlite3_prepare_v3(db->sql, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL) == SQLITE_OK || set_db_error(db, error);
}

/* Runs a statement that gives no rows. */
static gboolean run_statement(AditDb *db, sqlite3_stmt *statement, GError **error) {
  gboolean ok = sqlite3_step(statement) == SQLITE_DONE;
  if (!ok)
    set_db_error(db, error);
  sqlite3_reset(statement);
  return ok;
}

/* Sets `*unsound` only if sqlite has read the file and found it wrong: one that could not be read just now is left alone. */
static gboolean check_file(AditDb *db, const char *path, gboolean *unsound, GError **error) {
  sqlite3_stmt *quick = NULL;
  int code = sqlite3_prepare_v2(db->sql, "PRAGMA quick_check(1)", -1, &quick, NULL);

  if (code == SQLITE_OK)
    code = sqlite3_step(quick);
  gboolean sound = code == SQLITE_ROW && g_strcmp0((const char *)sqlite3_column_text(quick, 0), "ok") == 0;
  *unsound = (code == SQLITE_ROW && !sound) || code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
  if (*unsound)
    g_set_error(error, ADIT_ERROR, ADIT_ERR_INVALID, "store: %s is corrupt", path);
  else if (!sound)
    set_db_error(db, error);
  sqlite3_finalize(quick);
  return sound;
}

/* A database that can be opened may still be full: better known now than with the first record. */
static gboolean try_to_write(AditDb *db, GError **error) {
  return execute_sql(db,
                     "BEGIN IMMEDIATE; INSERT INTO entry (tab, key, data) VALUES ('', '', zeroblob(16384)) ON CONFLICT DO NOTHING; COMMIT",
                     error) &&
         execute_sql(db, "DELETE FROM entry WHERE tab = ''", error);
}

static gboolean open_file(AditDb *db, const char *path, gboolean *unsound, GError **error) {
  *unsound = FALSE;
  /* sqlite would make it by the umask, and gives its log and index the file's mode. If this fails, so will sqlite, with words. */
  int fd = g_str_equal(path, ":memory:") ? -1 : g_open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd >= 0)
    close(fd);
  if (sqlite3_open_v2(path, &db->sql, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
    return set_db_error(db, error);
  sqlite3_busy_timeout(db->sql, BUSY_MS);
  /* FULL: a commit in WAL mode is synced before it is reported; NORMAL could lose the last ones with the power. */
  gboolean ok = execute_sql(db, "PRAGMA journal_mode=WAL", error) && execute_sql(db, "PRAGMA synchronous=FULL", error) &&
                execute_sql(db,
                            "CREATE TABLE IF NOT EXISTS entry (tab TEXT NOT NULL, key TEXT NOT NULL, data BLOB NOT NULL, "
                            "PRIMARY KEY (tab, key)) WITHOUT ROWID",
                            error);
  int code = sqlite3_errcode(db->sql);
  if (!ok) {
    *unsound = code == SQLITE_NOTADB || code == SQLITE_CORRUPT;
    return FALSE;
  }
  if (!check_file(db, path, unsound, error) || !try_to_write(db, error))
    return FALSE;
  return prepare_statement(db, "BEGIN IMMEDIATE", &db->begin, error) && prepare_statement(db, "COMMIT", &db->commit, error) &&
         prepare_statement(db, "ROLLBACK", &db->rollback, error) &&
         prepare_statement(db, "INSERT INTO entry (tab, key, data) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET data = excluded.data",
                           &db->put, error) &&
         prepare_statement(db, "DELETE FROM entry WHERE tab = ?1 AND key = ?2", &db->remove, error) &&
         prepare_statement(db, "SELECT key, data FROM entry WHERE tab = ?1 AND key > ?2 ORDER BY key LIMIT ?3", &db->load, error);
}

static void close_file(AditDb *db) {
  sqlite3_stmt **const all[] = {&db->begin, &db->commit, &db->rollback, &db->put, &db->remove, &db->load};
  for (gsize i = 0; i < G_N_ELEMENTS(all); i++)
    g_clear_pointer(all[i], sqlite3_finalize);
  g_clear_pointer(&db->sql, sqlite3_close);
}

/* The log and index belong to the file: left where they are they would spoil the new one. */
static gboolean move_aside(const char *path, const char *why, GError **error) {
  static const char *const parts[] = {"", "-wal", "-shm"};
  g_autofree char *aside = g_strdup_printf("%s.corrupt-%" G_GINT64_FORMAT, path, g_get_real_time() / G_USEC_PER_SEC);
  for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
    g_autofree char *from = g_strconcat(path, parts[i], NULL), *to = g_strconcat(aside, parts[i], NULL);
    if (g_rename(from, to) < 0 && i == 0) {
      g_set_error(error, ADIT_ERROR, ADIT_ERR_SYSTEM, "store: %s is corrupt and cannot be moved aside: %s", path, g_strerror(errno));
      return FALSE;
    }
  }
  adit_warning(NULL, "%s; moved to %s and replaced with a new store", why, aside);
  return TRUE;
}

AditDb *adit_db_open(const char *path, GError **error) {
  AditDb *db = g_new0(AditDb, 1);
  db->path = g_strdup(path);
  g_autoptr(GError) failure = NULL;
  gboolean unsound;

  if (open_file(db, path, &unsound, &failure))
    return db;
  close_file(db);
  if (unsound) {
    g_autofree char *why = g_strdup(failure->message);
    g_clear_error(&failure);
    if (move_aside(path, why, &failure) && open_file(db, path, &unsound, &failure))
      return db;
    close_file(db);
  }
  g_free(db->path);
  g_free(db);
  g_propagate_error(error, g_steal_pointer(&failure));
  return NULL;
}

void adit_db_close(AditDb *db) {
  if (!db)
    return;
  close_file(db);
  g_free(db->path);
  g_free(db);
}

gboolean adit_db_begin(AditDb *db, GError **error) {
  return run_statement(db, db->begin, error);
}

gboolean adit_db_commit(AditDb *db, GError **error) {
  return run_statement(db, db->commit, error);
}

void adit_db_rollback(AditDb *db) {
  /* Some errors have ended the transaction already. */
  if (!sqlite3_get_autocommit(db->sql))
    run_statement(db, db->rollback, NULL);
}

gboolean adit_db_write(AditDb *db, const char *table, const char *key, GBytes *data, GError **error) {
  sqlite3_stmt *statement = data ? db->put : db->remove;
  gsize length = 0;
  gconstpointer octets = data ? g_bytes_get_data(data, &length) : NULL;

  sqlite3_bind_text(statement, 1, table, -1, SQLITE_STATIC);
  sqlite3_bind_text(statement, 2, key, -1, SQLITE_STATIC);
  if (data)
    sqlite3_bind_blob64(statement, 3, octets ? octets : "", length, SQLITE_STATIC); /* a NULL pointer would be SQL's NULL */
  gboolean ok = run_statement(db, statement, error);
  sqlite3_clear_bindings(statement);
  return ok;
}

gboolean adit_db_load(AditDb *db, const char *table, const char *after, guint limit, AditDbRow row, gpointer user, GError **error) {
  int code;
  sqlite3_bind_text(db->load, 1, table, -1, SQLITE_STATIC);
  sqlite3_bind_text(db->load, 2, after, -1, SQLITE_STATIC);
  sqlite3_bind_int64(db->load, 3, limit ? (sqlite3_int64)limit : -1);
  while ((code = sqlite3_step(db->load)) == SQLITE_ROW)
    row((const char *)sqlite3_column_text(db->load, 0), sqlite3_column_blob(db->load, 1), (gsize)sqlite3_column_bytes(db->load, 1), user);
  if (code != SQLITE_DONE)
    set_db_error(db, error);
  sqlite3_reset(db->load);
  sqlite3_clear_bindings(db->load);
  return code == SQLITE_DONE;
}
