"""What people wrote, read into one validated Project. The only room that knows the file formats."""
