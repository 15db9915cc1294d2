// Package roster reads many patients of a clinic: the patient list with its filters and orders, the search by number and
// birth date, the patients of an order, and the TIDE report. One table of fields gives the parameters, queries, orders and
// indexes. The package changes nothing, and must not know HTTP.
package roster
