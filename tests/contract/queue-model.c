/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "queue-contract.h"

void
add_model_cases (void)
{
}
