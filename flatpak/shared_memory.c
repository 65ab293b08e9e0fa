/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Asks the display to take pictures through shared memory, as toolkits do. Exit status: 0: it does;
 * 1: it cannot reach this program's memory; 2: there is no display, or it never does. */

#include <X11/Xlib.h>
#include <sys/ipc.h>
#include <sys/shm.h>

#include <X11/extensions/XShm.h>

static int refused = 0;

static int
refused_cb (Display *display,
            XErrorEvent *event)
{
  (void) display;
  (void) event;
  refused = 1;

  return 0;
}

int
main (void)
{
  Display *display = XOpenDisplay (NULL);
  XShmSegmentInfo segment = { 0 };

  if (display == NULL || !XShmQueryExtension (display))
    return 2;
  segment.shmid = shmget (IPC_PRIVATE, 4096, IPC_CREAT | 0600);
  segment.shmaddr = shmat (segment.shmid, NULL, 0);
  XSetErrorHandler (refused_cb);
  XShmAttach (display, &segment);
  XSync (display, False);
  shmctl (segment.shmid, IPC_RMID, NULL);

  return refused;
}
