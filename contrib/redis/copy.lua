-- Saves a copy in KEYS[1]. ARGV: the mark of a copy, the copy. Returns -1 first for somebody else's key.
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'none' and (kind ~= 'string' or redis.call('GETRANGE', KEYS[1], 0, #ARGV[1] - 1) ~= ARGV[1]) then
	return {-1, 0}
end
redis.call('SET', KEYS[1], ARGV[1] .. ARGV[2])
return {0, 0}
