/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* A plugin that does nothing, built several times: once right, and once with each thing wrong that the loader must see. */
#include <adit/adit.h>

#ifndef SAMPLE_NAME
#define SAMPLE_NAME "sample"
#endif
#ifndef SAMPLE_MAJOR
#define SAMPLE_MAJOR ADIT_ABI_MAJOR
#endif
#ifndef SAMPLE_MINOR
#define SAMPLE_MINOR ADIT_ABI_MINOR
#endif
#ifndef SAMPLE_SIZE
#define SAMPLE_SIZE sizeof(AditPluginInfo)
#endif
#ifndef SAMPLE_SYMBOL
#define SAMPLE_SYMBOL adit_plugin_info
#endif

#ifdef SAMPLE_OPTION
static const AditOption options[] = {{.name = "odd", .type = ADIT_TYPE_BOOL, .help = "odd", SAMPLE_OPTION}};
#endif
#ifdef SAMPLE_KIND
static const AditFeature features[] = {{SAMPLE_KIND, "x:sample"}};
#endif
#ifdef SAMPLE_EXTRA
extern G_MODULE_EXPORT const int SAMPLE_EXTRA;
const int SAMPLE_EXTRA = 7;
#endif

extern const AditPluginInfo SAMPLE_SYMBOL;
G_MODULE_EXPORT const AditPluginInfo SAMPLE_SYMBOL = {
    .size = SAMPLE_SIZE,
    .abi_major = SAMPLE_MAJOR,
    .abi_minor = SAMPLE_MINOR,
    .feature_size = sizeof(AditFeature),
    .option_size = sizeof(AditOption),
    .name = SAMPLE_NAME,
    .version = "1",
    .summary = "nothing",
#ifdef SAMPLE_OPTION
    .options = options,
    .n_options = 1,
#endif
#ifdef SAMPLE_KIND
    .features = features,
    .n_features = 1,
#endif
};
