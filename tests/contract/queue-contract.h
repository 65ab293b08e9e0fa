/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "queue-fixture.h"

/* The cases stand in several files; each adds its own. */
void add_task_cases (void);
void add_try_cases (void);
void add_project_cases (void);
void add_move_cases (void);
void add_stop_cases (void);
void add_limit_cases (void);
void add_feed_cases (void);
void add_batch_cases (void);
void add_crash_cases (void);
void add_thread_cases (void);
void add_model_cases (void);

#define ADD(path, func) \
  g_test_add ("/queue/" path, Fixture, NULL, fixture_set_up, func, fixture_tear_down)
#define ADD_WITH(path, settings, func) \
  g_test_add ("/queue/" path, Fixture, settings, fixture_set_up, func, fixture_tear_down)
