package patients

// BatchSize is how many patients one write changes at most.
const BatchSize = batchSize
