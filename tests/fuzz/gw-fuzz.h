/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

/* The entry that libFuzzer calls, and gw-fuzz-main.c where there is no libFuzzer. */
int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);
