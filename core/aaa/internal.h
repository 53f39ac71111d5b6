/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/aaa/internal.h - what the files of this module share. Main loop only, unless marked [any]. */
#pragma once

#include "core/aaa/aaa.h"
#include "core/aaa/guard.h"

/** A source as a plugin registered it; freed when that plugin is dropped. */
typedef struct {
  AditPlugin *plugin;
  const AditAuthSourceOps *ops;
  gpointer state;
  const char *name; /**< interned: outlives the plugin, for the log */
} AaaSource;

typedef struct {
  AditPlugin *plugin;
  const AditAcctSinkOps *ops;
  gpointer state;
  const char *name; /**< interned */
} AaaSink;

/** The map `aaa` as it stands; requests keep the one they began with. */
typedef struct {
  guint refs;
  GPtrArray *sources; /**< of interned names, in order */
  gboolean next_on_error;
  guint64 timeout_ms;
  gboolean accounting;
  guint64 interim_ms;
  AaaGuardRules guard;
  GArray *guard_exempt; /**< of AditPrefix */
} AaaConfig;

/** An answer that owns what it points to; wiped when freed. [any] */
typedef struct {
  AditAuthReply reply;
  char *password, *message, *why;
  guint8 nt_hash[16];
} AaaAnswer;

AaaAnswer *aaa_answer_copy(const AditAuthReply *reply);
AaaAnswer *aaa_answer_error(const char *why);
void aaa_answer_free(AaaAnswer *answer);

/** The loop that was given to init; NULL before it and after fini. */
extern const AditLoopService *aaa_loop;

/* registry.c */
AaaSource *aaa_source_find(const char *name);
const GPtrArray *aaa_sources(void);
const GPtrArray *aaa_sinks(void);
gboolean aaa_method_add(AditPlugin *plugin, const AditAuthMethod *method, GError **error);
gboolean aaa_source_add(AditPlugin *plugin, const AditAuthSourceOps *ops, gpointer state, GError **error);
gboolean aaa_sink_add(AditPlugin *plugin, const AditAcctSinkOps *ops, gpointer state, GError **error);
void aaa_registry_init(void);
void aaa_registry_drop(AditPlugin *plugin);
void aaa_registry_fini(void);

/* config.c */
void aaa_config_init(void);
void aaa_config_fini(void);
AaaConfig *aaa_config_ref(void);
void aaa_config_unref(AaaConfig *config);

/* empty.c: an empty password proves nothing */
/** Did the peer prove that it knows an empty password? FALSE for EAP, which only a source can tell. */
gboolean aaa_proves_empty(const AditAuthRequest *request);
/** Takes an empty password, and the NT hash of one, out of a source's secret; TRUE if there was one. */
gboolean aaa_secret_drop_empty(AditAuthReply *secret);

/* handle.c: the way from any thread back to the main loop */
/** Hands an answer over on the main loop. `generation` says which round of request `id` it is meant for. */
typedef void (*AaaDeliver)(guint64 id, guint generation, const char *source, AaaAnswer *answer /* borrowed */);
void aaa_handle_init(AaaDeliver deliver);
void aaa_handle_fini(void);
/** A handle with two owners: the caller (aaa_handle_forget) and the source (the service's ref and unref). [main] */
AditAuthHandle *aaa_handle_new(guint64 id, guint generation, const char *source);
/** A use for a call into the source; FALSE when no use is left or it is already answered. */
gboolean aaa_handle_borrow(AditAuthHandle *handle);
void aaa_handle_forget(AditAuthHandle *handle);
/** Queues an answer of the core's own; takes over `answer`. [any] */
void aaa_post(guint64 id, guint generation, const char *source, AaaAnswer *answer);
void aaa_handle_answer(AditAuthHandle *handle, const AditAuthReply *reply);
AditAuthHandle *aaa_handle_ref(AditAuthHandle *handle);
void aaa_handle_unref(AditAuthHandle *handle);

/* request.c */
void aaa_request_init(void);
void aaa_request_drop(const AaaSource *source);
void aaa_request_fini(void);

/* acct.c */
void aaa_acct_init(void);
void aaa_acct_drop(AditPlugin *plugin);
void aaa_acct_fini(void);
