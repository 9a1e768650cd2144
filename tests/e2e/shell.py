"""The interactive shell on a terminal: editing, Ctrl-C, history, completion, wide results."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

from harness import PROGRAM, Failure, expect, main, test

PROMPT = "deltaworks> "
MORE = "         -> "
PATIENCE_S = 30
UP, TAB, CTRL_C, CTRL_D = "\x1b[A", "\t", "\x03", "\x04"
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\x1b\([A-Z]|\x07|\r")


class Shell:
    """One shell on a terminal of its own; what it prints, without the escapes."""

    def __init__(self, world, columns=100):
        environment = dict(os.environ, DELTAWORKS_WAREHOUSE=world.folder, HOME=world.folder, TERM="xterm",
                           LC_ALL="C.UTF-8")
        environment.pop("XDG_STATE_HOME", None)
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execve(PROGRAM, [PROGRAM, "sql"], environment)
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        self.text = ""
        self.wait(PROMPT)

    def wait(self, words):
        """Reads on until the words come; returns what came up to their end."""
        until = time.monotonic() + PATIENCE_S
        while words not in self.text:
            ready, _, _ = select.select([self.terminal], [], [], max(0, until - time.monotonic()))
            try:
                data = os.read(self.terminal, 65536) if ready else b""
            except OSError:  # the shell has ended
                data = b""
            if not data:
                raise Failure(f"expected {words!r} on the terminal, found {self.text[-2000:]!r}")
            self.text = ESCAPES.sub("", self.text + data.decode(errors="replace"))
        seen, _, self.text = self.text.partition(words)
        return seen + words

    def type(self, keys, while_running=False):
        """To the editor, which has the terminal some moments after the prompt; or to the statement."""
        until = time.monotonic() + PATIENCE_S
        while not while_running and termios.tcgetattr(self.terminal)[3] & termios.ECHO:
            expect(time.monotonic() < until, f"an editor, found {self.text[-1000:]!r}")
            select.select([], [], [], 0.01)
        os.write(self.terminal, keys.encode())

    def run(self, line, then=PROMPT):
        self.type(line + "\n")
        return self.wait(then)

    def finish(self):
        """The exit status."""
        until = time.monotonic() + PATIENCE_S
        while True:
            ready, _, _ = select.select([self.terminal], [], [], max(0, until - time.monotonic()))
            try:
                if ready and os.read(self.terminal, 65536):
                    continue
            except OSError:
                break
            os.kill(self.pid, signal.SIGKILL)
            break
        _, status = os.waitpid(self.pid, 0)
        os.close(self.terminal)
        return os.waitstatus_to_exitcode(status)


def has(text, *words):
    for word in words:
        expect(word in text, f"{word!r} at the end of {text[-1000:]!r}")


@test
def test_shell__runs_statements_over_several_lines_and_ends_with_ctrl_d(w):
    shell = Shell(w)
    shell.run("SELECT 40 +", MORE)
    has(shell.run("2 AS answer; SELECT 'zweite'", MORE), "answer", "42")
    has(shell.run(";"), "zweite")
    has(shell.run("SELECT nothing;"), "[BIND_ERROR]")
    shell.type(CTRL_D)
    expect(shell.finish() == 0, "exit status 0")


@test
def test_shell__ctrl_c_drops_what_was_typed_and_goes_on(w):
    shell = Shell(w)
    shell.type("SELECT 'never")
    shell.wait("never")
    shell.type(CTRL_C)
    shell.wait(PROMPT)
    shell.run("SELECT 'half", MORE)
    shell.type(CTRL_C)
    shell.wait(PROMPT)
    has(shell.run("SELECT 6 * 7 AS product;"), "product", "42")
    shell.type("exit\n")
    expect(shell.finish() == 0, "exit status 0")


@test
def test_shell__ctrl_c_cancels_a_statement_and_goes_on(w):
    shell = Shell(w)
    shell.type("SELECT count(*) FROM range(100000000000) t(i) WHERE i % 7 = 3;\n")
    shell.wait(", 3 s")  # the bar
    shell.type(CTRL_C, while_running=True)
    has(shell.wait(PROMPT), "deltaworks: interrupted [CANCELLED]")
    shell.run(".rows all")
    shell.type("SELECT range FROM range(10000000000);\n")
    shell.wait("│  1500 │")
    shell.type(CTRL_C, while_running=True)
    has(shell.wait(PROMPT), "deltaworks: interrupted [CANCELLED]")
    has(shell.run("SELECT 6 * 7 AS product;"), "product", "42")
    shell.type("quit;\n")
    expect(shell.finish() == 0, "exit status 0")


@test
def test_shell__shows_the_first_rows_of_many(w):
    shell = Shell(w)
    has(shell.run("SELECT range FROM range(1001);"), "│   999 │", "(the first 1,000 rows; .rows all shows every one)")
    has(shell.run("SELECT range FROM range(1000);"), "│   999 │", "(1,000 rows)")
    shell.run(".rows 2")
    has(shell.run("FROM range(3);"), "(the first 2 rows; .rows all")
    shell.run(".rows all")
    has(shell.run("FROM range(1500);"), "│  1499 │", "(1,500 rows)")
    has(shell.run(".rows none"), "expected .rows all, or a number")
    shell.type(CTRL_D)
    shell.finish()


@test
def test_shell__prints_records_where_the_terminal_is_too_narrow(w):
    w.sql("CREATE TABLE t (a INT)")
    shell = Shell(w, columns=80)
    detail = shell.run("DESCRIBE DETAIL t;")
    has(detail, "── row 1 ──", "format             delta\n", "(1 row)")
    expect("┌" not in detail, f"no box: {detail!r}")
    has(shell.run("SELECT 1 AS one, repeat('x', 200) AS long;"), "┌", "x… │")
    shell.run(".format vertical")
    has(shell.run("SELECT 1 AS one, repeat('x', 79) AS long;"), "one   1\n", "long  xxx")
    shell.type(CTRL_D)
    shell.finish()


@test
def test_shell__prints_explanations_as_they_are_laid_out(w):
    w.sql("CREATE TABLE t AS SELECT range AS a_column_with_a_long_name FROM range(9)")
    shell = Shell(w, columns=60)
    text = shell.run("EXPLAIN SELECT * FROM t WHERE a_column_with_a_long_name BETWEEN 3 AND 4;")
    has(text, "    pruned by   a_column_with_a_long_name >= 3 AND a_column_with_a_long_name <= 4\n")
    shell.type(CTRL_D)
    shell.finish()


@test
def test_shell__remembers_statements_in_one_line_and_across_sessions(w):
    shell = Shell(w)
    shell.run("SELECT 40 +", MORE)
    shell.run("2 AS answer;")
    shell.type(CTRL_D)
    shell.finish()
    shell = Shell(w)
    shell.type(UP)
    shell.wait("SELECT 40 + 2 AS answer;")
    has(shell.run(""), "42")
    shell.run("SELECT 1 -- one", MORE)
    shell.run("+ 1 AS two;")
    shell.type(UP)
    has(shell.run(""), "two", "2")
    shell.type(CTRL_D)
    shell.finish()


@test
def test_shell__completes_words_tables_and_columns(w):
    w.sql("CREATE TABLE passengers (surname STRING, seat INT)")
    shell = Shell(w)
    shell.type("sel" + TAB)
    shell.wait("SELECT ")
    shell.type("'x' FROM passe" + TAB)
    shell.wait("passengers ")
    shell.type("ORDER BY su" + TAB)
    shell.wait("su")
    shell.wait("SUMMARIZE surname\n")  # two are possible: they are listed
    shell.type("r" + TAB)
    shell.wait("surname ")
    has(shell.run(";"), "(0 rows)")
    shell.type(CTRL_D)
    shell.finish()


@test
def test_shell__commands_say_what_they_take(w):
    shell = Shell(w)
    has(shell.run("help"), ".format NAME", "Ctrl-C")
    has(shell.run(".format xml"), "expected .format table, vertical")
    has(shell.run(".time"), "expected .time on")
    has(shell.run(".nonsense"), "there is no such command")
    has(shell.run(".read nowhere.sql"), "cannot read nowhere.sql", "[FILE_NOT_FOUND]")
    with open(w.path("two.sql"), "w", encoding="utf-8") as file:
        file.write("SELECT 1 AS first; SELECT 2 AS second")
    has(shell.run(f".read {w.path('two.sql')}"), "first", "second")
    shell.run(".time on;")
    has(shell.run("SELECT 1;"), "(1 row, 0.", " s)")
    shell.run(".format csv")
    has(shell.run("SELECT 1 AS a, NULL AS b;"), "a,b\n1,\n")
    shell.type(".quit\n")
    expect(shell.finish() == 0, "exit status 0")


if __name__ == "__main__":
    sys.exit(main())
