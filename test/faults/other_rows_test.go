package faults_test

func groupOperations() []operation   { return nil }
func patientOperations() []operation { return nil }
func removalOperations() []operation { return nil }
func ehrOperations() []operation     { return nil }
func mergeOperations() []operation   { return nil }
