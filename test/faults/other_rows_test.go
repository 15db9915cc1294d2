package faults_test

func ehrOperations() []operation   { return nil }
func mergeOperations() []operation { return nil }
