/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "queue-contract.h"

void
add_crash_cases (void)
{
}
