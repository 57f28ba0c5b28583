package sandbox

// asked reads a member of the query that says which part of a list is wanted. Without it, it is usual; bounds are inclusive, and
// highest 0 stands for none.
func (c *call) asked(name string, usual, lowest, highest int) (int, *refusal) {
	value := c.query.Get(name)
	if value == "" {
		return usual, nil
	}
	n := wholeNumber(value)
	if n < lowest || highest > 0 && n > highest || value[0] == '-' {
		r := memberError("query", name, value, text{"不在取值范围内", "it is out of range"})
		r.number = numberRange
		return 0, r
	}
	return n, nil
}

// askedPage reads offset and limit, which is usual when it is not given and highest at most.
func (c *call) askedPage(usual, highest int) (offset, limit int, refused *refusal) {
	if offset, refused = c.asked("offset", 0, 0, 0); refused == nil {
		limit, refused = c.asked("limit", usual, 1, highest)
	}
	return offset, limit, refused
}

// paged is the answer with a page of a list.
func (c *call) paged(list []map[string]any, offset, limit int) map[string]any {
	data := make([]any, 0, limit)
	for _, one := range list[min(offset, len(list)):min(offset+limit, len(list))] {
		data = append(data, one)
	}
	return c.tell(map[string]any{"data": data, "total_count": len(list), "offset": offset, "limit": limit})
}
