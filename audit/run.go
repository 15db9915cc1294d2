package audit

import "context"

// Run writes what requests record, until the context ends, and then what is left. It is not needed where nothing is recorded.
func (t *Trail) Run(ctx context.Context) { t.writer.run(ctx) }
