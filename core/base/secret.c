/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "config.h"

#include "core/base/secret.h"

#include <adit/log.h>
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CHUNK = 64 * 1024, SMALLEST = 32, CLASSES = 9 /* 32 to 8192 octets */ };

/* Before each text; a secret larger than the largest class has its own pages. */
typedef struct {
  guint32 class; /* CLASSES = own pages */
  guint32 pages; /* octets of those */
} Head;

typedef struct Free Free;
struct Free {
  Free *next;
};

static struct {
  GMutex lock;
  Free *free[CLASSES];
  guint8 *at, *end; /* the rest of the newest chunk */
  gsize used, locked;
  gboolean told;
} self;

G_STATIC_ASSERT(sizeof(Head) + sizeof(Free) <= SMALLEST);

/* ---- pages ---- */

static gpointer map_pages(gsize octets) {
  gpointer pages = mmap(NULL, octets, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED)
    g_error("out of memory: %s", g_strerror(errno));
  madvise(pages, octets, MADV_DONTDUMP);
  if (syscall(SYS_mlock, pages, octets) == 0) { /* sanitizers make mlock() do nothing */
    self.locked += octets;
  } else if (!self.told) {
    self.told = TRUE;
    adit_info(NULL, "memory for secrets can't be locked beyond %" G_GSIZE_FORMAT " octets: %s: raise the limit (LimitMEMLOCK=, ulimit -l)",
              self.locked, g_strerror(errno));
  }
  return pages;
}

static guint8 *cut_from_chunk(gsize size) {
  if ((gsize)(self.end - self.at) < size) {
    self.at = map_pages(CHUNK);
    self.end = self.at + CHUNK;
  }
  guint8 *piece = self.at;
  self.at += size;
  return piece;
}

/* ---- pieces ---- */

static guint class_of(gsize octets) {
  guint class = 0;
  while (class < CLASSES && (gsize)SMALLEST << class < octets)
    class ++;
  return class;
}

static Head *take_piece(gsize octets) {
  guint class = class_of(octets);
  Head *head;

  if (class == CLASSES) {
    gsize pages = (octets + 4095) / 4096 * 4096;
    head = map_pages(pages);
    *head = (Head){class, (guint32)pages};
  } else {
    Free *piece = self.free[class];
    head = piece ? (Head *)piece - 1 : (Head *)(gpointer)cut_from_chunk((gsize)SMALLEST << class);
    if (piece)
      self.free[class] = piece->next;
    *head = (Head){class, 0};
  }
  return head;
}

static void give_back(Head *head) {
  if (head->class == CLASSES) {
    gsize pages = head->pages;
    self.locked -= MIN(self.locked, pages);
    munmap(head, pages); /* the kernel clears it before it is used again */
    return;
  }
  Free *piece = (Free *)(gpointer)(head + 1);
  piece->next = self.free[head->class];
  self.free[head->class] = piece;
}

char *adit_secret_copy(const char *text) {
  gsize length = strlen(text) + 1;

  g_mutex_lock(&self.lock);
  Head *head = take_piece(sizeof *head + length);
  self.used += length;
  g_mutex_unlock(&self.lock);
  return memcpy(head + 1, text, length);
}

void adit_secret_free(char *text) {
  if (!text)
    return;
  gsize length = strlen(text) + 1;
  explicit_bzero(text, length);
  g_mutex_lock(&self.lock);
  self.used -= length;
  give_back((Head *)(gpointer)text - 1);
  g_mutex_unlock(&self.lock);
}

/* Pieces begin at multiples of SMALLEST, and their Head has half of what octets are aligned to. */
enum { ALIGN_PAD = 16 - sizeof(Head) };

gpointer adit_secret_memory(gsize length) {
  g_mutex_lock(&self.lock);
  Head *head = take_piece(sizeof *head + ALIGN_PAD + length);
  self.used += length;
  g_mutex_unlock(&self.lock);
  return memset((guint8 *)(gpointer)(head + 1) + ALIGN_PAD, 0, length);
}

void adit_secret_memory_free(gpointer memory, gsize length) {
  if (!memory)
    return;
  explicit_bzero(memory, length);
  g_mutex_lock(&self.lock);
  self.used -= length;
  give_back((Head *)(gpointer)((guint8 *)memory - ALIGN_PAD) - 1);
  g_mutex_unlock(&self.lock);
}

AditValue *adit_secret_value(const char *text) {
  AditValue *value = adit_value_new_(ADIT_VALUE_STRING);
  value->flags |= ADIT_VALUE_IS_SECRET;
  value->as.string = adit_secret_copy(text);
  value->release = adit_secret_free;
  return value;
}

void adit_secret_sizes(gsize *used, gsize *locked) {
  g_mutex_lock(&self.lock);
  *used = self.used;
  *locked = self.locked;
  g_mutex_unlock(&self.lock);
}
