// Package osspecific has what the package of this name of Argo Workflows needs on Linux: signals of the
// command of a step, and its end. The module proxy serves the module without the file, which the build
// puts there.
package osspecific

import (
	"os"
	"syscall"

	"github.com/argoproj/argo-workflows/v4/util/errors"
)

// Term is the signal that asks a command to end.
var Term = syscall.SIGTERM

// CanIgnoreSignal tells whether a signal is one of the executor itself, and not for its command.
func CanIgnoreSignal(signal os.Signal) bool {
	return signal == syscall.SIGCHLD || signal == syscall.SIGURG
}

// Setpgid makes a command the leader of a group, so that signals reach what it starts, too.
func Setpgid(attributes *syscall.SysProcAttr) {
	attributes.Setpgid = true
}

// Kill sends a signal to the group of a command.
func Kill(pid int, signal syscall.Signal) error {
	if group, err := syscall.Getpgid(pid); err == nil {
		return syscall.Kill(-group, signal)
	}
	return syscall.Kill(pid, signal)
}

// Wait returns nil when a command ended with 0, and otherwise an error with its exit code.
func Wait(process *os.Process) error {
	state, err := process.Wait()
	if err != nil {
		return err
	}
	status, ok := state.Sys().(syscall.WaitStatus)
	if ok && status.Signaled() {
		return errors.NewExitErr(128 + int(status.Signal()))
	}
	if code := state.ExitCode(); code != 0 {
		return errors.NewExitErr(code)
	}
	return nil
}
