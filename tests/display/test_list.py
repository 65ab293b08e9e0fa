#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Journeys through the live list: filters, search, order, selection, many tasks, following."""

import time

import desktop
from desktop import StateType
from fake_gateway import FakeGateway, iso


class Case(desktop.Case):
    def gateway(self):
        gateway = FakeGateway().start()
        self.addCleanup(gateway.stop)
        return gateway

    def open_list(self, gateway, size=(1000, 700), **more):
        self.home.file("config/glib-2.0/settings/keyfile",
                       f"[io/github/gangway/Gangway]\nwindow-width={size[0]}\n"
                       f"window-height={size[1]}\n")
        return self.open("--gateway", gateway.uri, **more)

    def contents(self, window):
        return [name.split(",")[0] for name in window.row_names()]

    def wait_contents(self, window, *contents):
        window.until(lambda: self.contents(window) == list(contents), f"the rows {contents}")

    def top(self, window, node):
        return node.get_extents().y

    def assert_stays(self, window, name, top):
        """The row does not move by more than rounding, once the list has been laid out anew."""
        _x, y = window.place(lambda: window.wait_row(name + ","))
        height = window.wait_row(name + ",").get_extents().height
        self.assertAlmostEqual(int(y) - height // 2, top, delta=2)


def fill(gateway):
    gateway.add("Write a haiku", "completed", ago=20, took=3.2, model="gpt-4o",
                result="An old silent pond\nA frog jumps into the pond")
    gateway.add("Name a bakery", "failed", ago=15, took=0.4, model="glm-4",
                error={"code": "server", "message": "HTTP 500"})
    gateway.add("Sort the ideas", "completed", ago=12, took=9.0, model="alpha-1",
                result="First the cheap ones")
    gateway.add("Explain the sky", waiting={"reason": "network", "until": iso(time.time() + 900)})
    gateway.add("Count the words")


ALL = ["Write a haiku", "Name a bakery", "Sort the ideas", "Explain the sky", "Count the words"]


class Find(Case):
    def test_filters_search_and_empty_pages(self):
        gateway = self.gateway()
        fill(gateway)
        window = self.open_list(gateway)
        self.wait_contents(window, *ALL)
        window.wait_words("All 5", "Queued 2", "Running 0", "Completed 2", "Failed 1")
        # A screen reader hears state, model and time; who waits says for what.
        window.wait_row("Write a haiku", "Completed", "gpt-4o", "3.2 seconds")
        window.wait_row("Explain the sky", "Waiting", "no connection")
        # What is on screen has the beginning of its result beside it.
        window.wait_words("An old silent pond")

        # Each filter has its own page where it is empty.
        window.key("alt+3")
        window.wait_words("No Running Tasks", "Nothing runs at the moment")
        window.press("Show _All")
        self.wait_contents(window, *ALL)
        window.key("alt+5")
        self.wait_contents(window, "Name a bakery")
        # A task that leaves the state leaves the filter, the others stay.
        gateway.change("01900000-0000-7000-8000-000000000002", status="queued", error=None)
        window.wait_words("No Failed Tasks", "Failed 0", "Queued 3")
        window.key("alt+1")
        self.wait_contents(window, *ALL)

        # In tasks at once, in results by the gateway; upper and lower case are the same.
        window.key("ctrl+f")
        window.wait_node("entry", "Search tasks and results")
        window.until(lambda: any(n.had_state(StateType.FOCUSED) for n in
                                 desktop.nodes(window.find("entry", "Search tasks"))),
                     "the cursor in the search")
        window.key("F", "R", "o", "g")
        self.wait_contents(window, "Write a haiku")
        window.wait_words("1 found")
        window.until(lambda: "frog" in gateway.searches, "the gateway asked")
        # What is answered while it is searched is found as well.
        gateway.change("01900000-0000-7000-8000-000000000005", status="completed",
                       result="Seven words and a frog")
        self.wait_contents(window, "Write a haiku", "Count the words")
        window.wait_words("2 found")
        window.key("x")
        window.wait_words("No Results for “FRogx”")
        # First the search goes, then nothing is left to close.
        window.key("Escape")
        self.wait_contents(window, *ALL)

        # What a crash left is a filter of its own as long as there is some, and none of the queued.
        self.assertFalse(window.says("Interrupted"))
        left = gateway.add("Left over", uncertain=True)
        window.wait_words("Interrupted 1", "Queued 2", "All 6")
        window.press("Interrupted 1")
        self.wait_contents(window, "Left over")
        gateway.change(left, metadata={"model": None, "provider": None})
        window.wait_words("No Interrupted Tasks", "Queued 3")


    def test_where_a_text_was_found(self):
        gateway = self.gateway()
        fill(gateway)
        gateway.add("A long story", "completed", ago=5, took=1, model="m",
                    result="words " * 100 + "and then the Landlord came in " + "more " * 100)
        gateway.add("x " * 150 + "for the landlord only", "completed", ago=4, took=1, model="m",
                    result="no")
        window = self.open_list(gateway)
        window.wait_words("All 7", "words words words")
        window.key("ctrl+f")
        window.set_entry("Search tasks and results", "landlord")
        # A line around the place, and the filters count what was found.
        window.wait_words("2 found", "the Landlord came in", "for the landlord only", "All 2",
                          "Completed 2", "Queued 0", "Failed 0")
        window.key("alt+2")
        window.wait_words("No Results for “landlord”", "Completed 2")
        window.key("alt+1", "Escape")
        window.wait_words("All 7", "Failed 1", "words words words")
        window.until(lambda: not window.says("the Landlord came in"), "the beginning again")

        # Where there is no room for a column of results, it comes for what was found in them.
        window.key("ctrl+q")
        window.wait()
        narrow = self.open_list(gateway, size=(700, 600))
        narrow.wait_words("All 7")
        narrow.until(lambda: not narrow.says("words words words"), "no results")
        narrow.key("ctrl+f")
        narrow.set_entry("Search tasks and results", "landlord")
        narrow.wait_words("the Landlord came in")

    def test_several_states_at_once(self):
        gateway = self.gateway()
        fill(gateway)
        window = self.open_list(gateway)
        self.wait_contents(window, *ALL)
        window.press("Failed 1")
        self.wait_contents(window, "Name a bakery")
        window.click_holding("ctrl", lambda: window.wait_button("Queued 2"))
        self.wait_contents(window, "Name a bakery", "Explain the sky", "Count the words")
        # What is done is done with what is shown.
        window.click(lambda: window.wait_row("Name a bakery"))
        window.type_keys("ctrl+a")
        window.wait_words("3 Tasks Selected")
        window.click_holding("ctrl", lambda: window.wait_button("Failed 1"))
        self.wait_contents(window, "Explain the sky", "Count the words")
        window.click_holding("ctrl", lambda: window.wait_button("Queued 2"))
        self.wait_contents(window, *ALL)
        window.press("Failed 1")
        self.wait_contents(window, "Name a bakery")

    def test_numbers(self):
        gateway = self.gateway()
        fill(gateway)
        window = self.open_list(gateway)
        self.wait_contents(window, *ALL)
        window.key("alt+5")
        self.wait_contents(window, "Name a bakery")
        window.click(lambda: window.wait_row("Name a bakery"))
        window.wait_words("#2 · ")


class Waiting(desktop.Case):
    def test_tasks_that_wait_for_a_limit_say_so(self):
        """With the real engine, which finds out why a task waits only when it is asked."""
        mock = self.mock(providers={"slow": {"latency": 0.1, "ghosts": False}})
        window = self.open(config=self.lanes(mock, slow={"requests-per-minute": 2}))
        window.run_lines("first", "second", "third", "fourth")
        window.wait_row("second", "Completed")
        window.wait_row("third", "Waiting", "limit per minute", " s")
        window.wait_row("fourth", "Waiting", "limit per minute")
        window.wait_words("2 of 4 · waiting: limit per minute, ")
        # Those that come in meanwhile, too; and what the user pauses waits for another reason.
        window.run_task("fifth")
        window.wait_row("fifth", "Waiting", "limit per minute")
        window.key("ctrl+shift+p")
        window.wait_row("third", "Queued")
        window.until(lambda: not window.says("waiting: limit"), "the end of the words")


class Order(Case):
    def test_sort_and_select(self):
        gateway = self.gateway()
        fill(gateway)
        window = self.open_list(gateway)
        self.wait_contents(window, *ALL)

        window.click(lambda: self.title(window, "Time"))
        self.wait_contents(window, ALL[1], ALL[0], ALL[2], ALL[3], ALL[4])
        window.click(lambda: self.title(window, "Time"))
        self.wait_contents(window, ALL[2], ALL[0], ALL[1], ALL[3], ALL[4])
        # A change of the longest one moves only that row.
        gateway.change("01900000-0000-7000-8000-000000000002", metadata={
            "model": "glm-4", "provider": "zhipu", "duration_ms": 60000})
        self.wait_contents(window, ALL[1], ALL[2], ALL[0], ALL[3], ALL[4])
        # The third click is back to the order in which they were put in.
        window.click(lambda: self.title(window, "Time"))
        self.wait_contents(window, *ALL)
        window.click(lambda: self.title(window, "Model"))
        self.wait_contents(window, ALL[2], ALL[1], ALL[0], ALL[3], ALL[4])
        window.click(lambda: self.title(window, "Status"))
        self.wait_contents(window, ALL[1], ALL[3], ALL[4], ALL[0], ALL[2])

        # The keyboard alone: all, none, the next one, open, back.
        window.pick(ALL[0])
        window.wait_words("An old silent pond")
        window.key("ctrl+a")
        window.until(lambda: len(window.selected()) == 5, "all rows selected")
        window.key("ctrl+shift+a")
        window.until(lambda: not window.selected(), "no row selected")
        window.pick(ALL[1])
        window.key("shift+Down", "shift+Down")
        window.until(lambda: window.selected() == [ALL[1], ALL[3], ALL[4]],
                     "three rows selected")

    def test_titles_stand_over_their_columns(self):
        gateway = self.gateway()
        fill(gateway)
        window = self.open_list(gateway)
        self.wait_contents(window, *ALL)
        # Columns go and come with the room that there is for them.
        desktop.xdotool("windowsize", window.window_id(), "400", "680")
        window.wait_words("Completed · gpt-4o · 3.2 s")
        desktop.xdotool("windowsize", window.window_id(), "1000", "700")
        window.wait_words("An old silent pond")

        def place(text):
            """Where a label begins and ends; the list is left of what else has such a label."""
            x, _y, width, _height = min(desktop.extents_of(node) for node in
                                        desktop.nodes(window.app)
                                        if desktop.role_of(node) == "label"
                                        and desktop.name_of(node) == text)
            return x, x + width
        window.until(lambda: abs(place("Task")[0] - place(ALL[0])[0]) < 3,
                     "the title of the tasks where the tasks begin")
        window.until(lambda: abs(place("#")[1] - place("4")[1]) < 3,
                     "the title of the numbers where the numbers end")

    def title(self, window, title):
        """The header of a column: a label above the rows."""
        return window.wait_node("label", None, lambda n: (desktop.text_of(n) or desktop.name_of(n))
                                == title)


class Many(Case):
    def test_what_had_ended_is_not_of_this_run(self):
        gateway = self.gateway()
        with gateway.changed:
            for i in range(700):
                gateway.add(f"Done {i}", "completed", result="x", ago=40, took=1)
            gateway.add("Left", waiting={"reason": "network", "until": iso(time.time() + 900)})
        window = self.open_list(gateway)
        window.wait_words("All 701", "0 of 1")

    def test_ten_thousand_do_not_jump(self):
        gateway = self.gateway()
        with gateway.changed:
            for i in range(10000):
                gateway.add(f"Task {i}")
        window = self.open_list(gateway)
        window.wait_words("All 10000", "Queued 10000")
        self.assertLess(len(window.rows()), 500, "only what can be seen has a row")

        # To the middle, then everything around it changes and the row stays where it is.
        window.pick("Task 3,")
        window.key("Escape")
        for _ in range(25):
            window.key("Page_Down")

        def in_sight():
            return next(((desktop.name_of(row).split(",")[0], self.top(window, row))
                         for row in window.rows() if 250 < self.top(window, row) < 500
                         and self.is_on_screen(window, row)), None)

        def settled():
            # All the keys have been followed when nothing moves any more.
            first = in_sight()
            time.sleep(0.5)
            return first if first and first[0] != "Task 3" and in_sight() == first else None
        name, top = window.until(settled, "a row in the middle that stays")
        ids = list(gateway.tasks)
        for i in range(0, 60):
            gateway.change(ids[i], status="running", started_at=iso(time.time()))
        window.wait_words("Running 60")
        self.assert_stays(window, name, top)
        gateway.remove(ids[10:60])
        window.wait_words("All 9950")
        self.assert_stays(window, name, top)
        gateway.add("The last one")
        window.wait_words("All 9951")
        self.assert_stays(window, name, top)

        # What runs is followed until the user scrolls.
        window.key("ctrl+l")
        window.wait_row("Task 9,")
        gateway.change(ids[9000], status="running", started_at=iso(time.time() + 1))
        window.wait_row("Task 9000,", "Running")
        window.until(lambda: self.is_pressed(window, "Follow Running"), "that it is followed")
        # To follow is to scroll as well: only what the user turns ends it.
        window.click_until(lambda: window.wait_row("Task 9000,"),
                           lambda: not self.is_pressed(window, "Follow Running"),
                           "the end of following", button="4")

    def is_on_screen(self, window, row):
        extents = row.get_extents()
        return extents.height > 0

    def is_pressed(self, window, name):
        node = window.find("push button", name)
        return node is not None and (desktop.has_state(node, StateType.PRESSED)
                                     or desktop.has_state(node, StateType.CHECKED))


class Keys(Case):
    def focused(self, window):
        for node in desktop.nodes(window.app):
            if node.had_state(StateType.FOCUSED):
                place = node.get_extents()
                return desktop.role_of(node), node.name.split(",")[0], place.x, place.y
        return None

    def walk(self, window, key):
        """What Tab comes to, from the composer until it is there again."""
        start, stops = self.focused(window), []
        while len(stops) < 60:
            before = stops[-1] if stops else start
            window.type_keys(key)
            stops.append(window.until(lambda: (self.focused(window) or before) != before
                                      and self.focused(window), f"what follows {before}"))
            if stops[-1] == start:
                return stops
        self.fail(f"{key} does not come back: {stops}")

    def test_tab_goes_once_round_and_back(self):
        gateway = self.gateway()
        fill(gateway)
        gateway.add_project("Alone", completed=1)
        gateway.add_project("Together", completed=2)
        # With room for the sidebar beside a task that is read.
        window = self.open_list(gateway, size=(1200, 700))
        self.wait_contents(window, *ALL)
        window.pick(ALL[1])
        window.wait_button("Copy Task")
        window.click(window.composer())
        window.until(lambda: (self.focused(window) or ("", ""))[1] == "Task", "the composer")
        there = self.walk(window, "Tab")
        # A list is one stop, however long it is; the arrows go through it.
        names = [name for _role, name, _x, _y in there]
        self.assertEqual([role for role, *_ in there].count("table row"), 1, there)
        self.assertEqual([role for role, *_ in there].count("list item"), 1, there)
        # It is entered where it was left, from either side.
        self.assertIn(ALL[1], names)
        # In the order in which it is read.
        order = [names.index(name) for name in
                 ("Add Tasks", "Main Menu", "History", "All 5", "Copy Task", "Details", "Task")]
        self.assertEqual(order, sorted(order), there)
        back = self.walk(window, "shift+Tab")
        self.assertEqual(sorted(back), sorted(there))


class Large(Case):
    def test_large_text_has_its_room(self):
        gateway = self.gateway()
        fill(gateway)
        widths = []
        for dots in ("96", "144"):
            window = self.open_list(gateway, env={"GW_TEST_DPI": dots})
            self.wait_contents(window, *ALL)
            # The word of the status ends before the next column begins.
            word = window.wait_node("label", None, lambda n: desktop.name_of(n) == "Completed")
            widths.append(word.get_extents().width)
            window.key("ctrl+q")
            self.assertEqual(window.wait(), 0)
        self.assertGreaterEqual(widths[1], 1.4 * widths[0], "as much more as the text is larger")


class Narrow(Case):
    def test_a_second_line(self):
        gateway = self.gateway()
        fill(gateway)
        window = self.open_list(gateway, size=(360, 640))
        self.wait_contents(window, *ALL)
        window.wait_words("Completed · gpt-4o · 3.2 s", "Waiting · no connection · in 1")
        self.assertFalse(window.says("An old silent pond"))

    def test_causes_and_their_filter_are_in_view(self):
        gateway = self.gateway()
        for number, (code, words) in enumerate((("timeout", "No answer within 120 s"),
                                                ("server", "HTTP 503: overloaded"),
                                                ("too-long", "HTTP 400: too many tokens"))):
            gateway.add(f"Task {number}", "failed", ago=40, took=1, provider="openai",
                        error={"code": code, "message": words})
        for number in range(200):
            gateway.add(f"Done {number}", "completed", result="x", ago=40, took=1)
        window = self.open_list(gateway, size=(360, 640))
        window.wait_row("Task 0")
        window.key("alt+5")
        retry = window.wait_button("_Retry 3 Failed")

        def place(node):
            return node.get_extents()
        toggle = window.wait_button("Failed 3")
        window.until(lambda: place(toggle).x >= 0
                     and place(toggle).x + place(toggle).width <= place(retry).x,
                     "the filter that is on beside what can be done")
        # However many lines a cause takes, what is said of the others is not cut off.
        more = window.wait_button("1 _More Cause")
        window.until(lambda: place(more).y + place(more).height
                     <= place(window.wait_row("Task 0")).y,
                     "the number of the others above the list")
        more.act()
        window.wait_button("_Fewer Causes")
        window.wait_words("Too long")


if __name__ == "__main__":
    desktop.main()
