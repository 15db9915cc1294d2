package patients

// BatchSize is how many patients one write changes at most in tests: every engine is quick with as many.
const BatchSize = 50

func init() { batchSize = BatchSize }
