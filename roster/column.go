package roster

import "strings"

// column holds the values at one path of all rows of a table, by slot.
type column struct {
	path   []string
	class  []int8
	number []float64
	text   []string              // nil unless there are texts
	odd    map[int32][]sortValue // of the few rows that have such
	used   int64                 // by the clock of the tables
}

func newColumn(path string, rows int) *column {
	return &column{
		path: strings.Split(path, "."), class: make([]int8, rows), number: make([]float64, rows), odd: map[int32][]sortValue{},
	}
}

// at returns what orders compare.
func (c *column) at(slot int32) sortValue {
	v := sortValue{class: c.class[slot], number: c.number[slot]}
	if c.text != nil {
		v.text = c.text[slot]
	}
	return v
}

// set stores a value, at most one slot behind the last.
func (c *column) set(slot int32, v tableValue) {
	if int(slot) == len(c.class) {
		c.class, c.number = append(c.class, 0), append(c.number, 0)
		if c.text != nil {
			c.text = append(c.text, "")
		}
	}
	c.class[slot], c.number[slot] = v.sort.class, v.sort.number
	if c.text == nil && v.sort.text != "" {
		c.text = make([]string, len(c.class), cap(c.class))
	}
	if c.text != nil {
		c.text[slot] = v.sort.text
	}
	delete(c.odd, slot)
	if v.odd != nil {
		c.odd[slot] = v.odd
	}
}

// meets reports whether the value of a row meets a condition.
func (c *column) meets(slot int32, condition valueCondition) bool {
	if len(c.odd) > 0 {
		if odd, ok := c.odd[slot]; ok {
			for _, v := range odd {
				if condition.holds(v) {
					return true
				}
			}
			return false
		}
	}
	return condition.holds(sortValue{class: c.class[slot], number: c.number[slot]})
}

// equals reports whether the value of a row is this one.
func (c *column) equals(slot int32, v tableValue) bool {
	return c.at(slot).compare(v.sort) == 0 && len(c.odd[slot]) == len(v.odd)
}

// Sizes of what a table keeps, in bytes, as estimates.
const (
	rowSize       = 240 // with the text, and its place by id
	valueSize     = 9   // a class and a number
	textValueSize = 32
	oddValueSize  = 128
	groupSetSize  = 100
)

func (c *column) size() int {
	size := len(c.class)*valueSize + len(c.odd)*oddValueSize
	if c.text != nil {
		size += len(c.text) * textValueSize
	}
	return size
}
